// Where messages are written, recorded and attached.
import { announce } from "./announcer.js";
import { BadFile, checked, onDrop } from "./files.js";
import { keep, recall } from "./kept.js";
import { Meter } from "./meter.js";
import { LONGEST_S, NoRecording, Recorder } from "./recorder.js";
import { silence } from "./sound.js";
import { clock, onLanguage, words } from "./words.js";

const MOST = 2000;
const NEAR = 200;
const DRAFT = "draft";
const TICK_MS = 200;
const SAFARI_COMPOSES = 229;

/** As the server counts: characters, not halves of them. */
const lengthOf = (text) => [...text.trim()].length;

export class Composer {
  /** onText: told a text. onVoice: told a blob and its seconds. onProblem: told a sentence, or null. */
  constructor(form, { onText, onVoice, onProblem }) {
    this.form = form;
    this.told = { onText, onVoice, onProblem };
    this.text = form.querySelector("#text");
    this.send = form.querySelector("#send");
    this.file = form.querySelector("#file");
    this.recorder = new Recorder({ onFull: () => this.full() });
    this.meter = new Meter(form.querySelector("#level"));
    const draft = recall(DRAFT);
    this.text.value = typeof draft === "string" ? draft : "";
    this.listen();
    onLanguage(() => this.show());
  }

  listen() {
    this.form.onsubmit = (event) => {
      event.preventDefault();
      this.submit();
    };
    this.text.oninput = () => this.show();
    this.text.onkeydown = (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === SAFARI_COMPOSES) return;
      event.preventDefault();
      this.submit();
    };
    this.form.querySelector("#record").onclick = () => this.record();
    this.form.querySelector("#discard").onclick = () => this.discard();
    this.form.querySelector("#attach").onclick = () => this.file.click();
    this.file.onchange = () => this.attach([...this.file.files]);
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.recorder.active && !document.querySelector("dialog[open]")) this.discard();
    });
    onDrop(document.getElementById("drop"), (files) => this.attach(files));
  }

  submit() {
    if (this.form.dataset.mode === "record") return this.sendRecording();
    const text = this.text.value.trim();
    const length = lengthOf(text);
    if (length === 0 || length > MOST) return this.text.focus();
    this.told.onProblem(null);
    this.text.value = "";
    this.show();
    this.text.focus();
    return this.told.onText(text);
  }

  /** The field grows with its text; what is left is told near the end. */
  show() {
    const length = lengthOf(this.text.value);
    keep(DRAFT, this.text.value || null);
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
    const count = document.getElementById("count");
    count.hidden = length < MOST - NEAR;
    count.textContent = length > MOST ? words().over(length - MOST) : words().left(MOST - length);
    count.classList.toggle("bad", length > MOST);
    this.text.setAttribute("aria-invalid", String(length > MOST));
    this.form.classList.toggle("empty", length === 0);
    this.send.disabled = !this.recorder.active && (length === 0 || length > MOST);
  }

  async record() {
    if (this.recorder.active || this.beginning) return;
    this.beginning = true;
    this.told.onProblem(null);
    try {
      await this.recorder.start();
      silence();
      this.mode("record");
      announce(words().recordingBegins);
    } catch (error) {
      this.fail(error);
    } finally {
      this.beginning = false;
    }
  }

  async sendRecording() {
    if (!this.recorder.active) return;
    try {
      const { blob, seconds } = await this.recorder.take();
      this.mode("write");
      this.told.onVoice(blob, seconds);
    } catch (error) {
      this.mode("write");
      this.fail(error);
    }
  }

  discard() {
    if (!this.recorder.active) return;
    this.recorder.discard();
    this.mode("write");
    this.told.onProblem(null);
    announce(words().discarded);
  }

  full() {
    this.meter.stop();
    clearInterval(this.timer);
    this.told.onProblem(this.recorder.seconds >= LONGEST_S - 1 ? words().longest : words().microphone.gone);
  }

  /** mode: write or record. */
  mode(mode) {
    const records = mode === "record";
    this.form.dataset.mode = mode;
    this.form.querySelector(".writing").hidden = records;
    this.form.querySelector("#recording").hidden = !records;
    this.form.querySelector("#record").setAttribute("aria-pressed", String(records));
    this.send.dataset.label = this.send.dataset.title = records ? "sendRecording" : "send";
    this.send.setAttribute("aria-label", words()[this.send.dataset.label]);
    this.send.title = words()[this.send.dataset.label];
    clearInterval(this.timer);
    this.meter.stop();
    if (records) this.run();
    this.show();
    (records ? this.send : this.form.querySelector("#record")).focus();
  }

  run() {
    const elapsed = this.form.querySelector("#elapsed");
    const tick = () => (elapsed.textContent = clock(this.recorder.seconds));
    tick();
    this.timer = setInterval(tick, TICK_MS);
    this.meter.start(() => this.recorder.level());
  }

  async attach(files) {
    this.file.value = "";
    this.told.onProblem(null);
    try {
      if (files.length === 0) return;
      if (files.length > 1) throw new BadFile("several");
      this.told.onVoice(files[0], await checked(files[0]));
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error) {
    const kinds = [
      [NoRecording, words().microphone],
      [BadFile, words().file],
    ];
    const known = kinds.find(([kind]) => error instanceof kind);
    if (!known) throw error;
    this.told.onProblem(known[1][error.reason]);
  }
}
