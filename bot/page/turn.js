// One turn on the page. Everything from outside goes in as text or as a checked link, never as markup.
import { local } from "./server.js";
import { Stage } from "./stage.js";

const ENDS = ["done", "failed", "cancelled", "superseded", "merged"];

const over = (turn) => ENDS.includes(turn.state) || turn.state === "rendered";

export class TurnView {
  constructor(turn, { onCancel }) {
    this.root = document.getElementById("turn").content.firstElementChild.cloneNode(true);
    this.root.dataset.turn = turn.turn_id;
    this.stage = new Stage(this.find(".stage"));
    this.find(".cancel").onclick = () => onCancel(turn.turn_id);
    this.find(".voice").onended = () => this.show(this.turn, this.words);
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  show(turn, words) {
    // While a turn runs, an event may come without the words that an earlier one brought.
    if (turn.state === "running" && turn.text === null) turn = { ...turn, text: this.turn?.text ?? null };
    this.turn = turn;
    this.words = words;
    this.find(".asked p").textContent = turn.transcript ?? words.voice;
    this.find(".face").src = `/api/v1/avatars/${encodeURIComponent(turn.avatar)}/portrait`;
    this.part(".text", turn.text, (part) => (part.textContent = turn.text));
    // The video takes the voice message's place, but not out of the listener's ear.
    const listening = !this.find(".voice").paused;
    this.media(".voice", turn.video_url && !listening ? null : turn.audio_url);
    this.play(turn);
    this.find(".video").setAttribute("aria-label", words.generated);
    this.find(".again").setAttribute("aria-label", words.again);
    this.find(".cancel").textContent = words.cancel;
    this.note(turn, words);
    this.work(turn, words);
  }

  /** The face waits where an answer may come, and speaks it. */
  play(turn) {
    const waits = !over(turn);
    this.stage.cast(turn.avatar);
    this.find(".stage").hidden = !waits && !turn.video_url;
    if (turn.video_url && this.fresh(".video", turn.video_url)) this.stage.answer(local(turn.video_url), this.waited);
    this.waited ||= waits;
  }

  part(selector, value, fill) {
    const part = this.find(selector);
    part.hidden = !value;
    if (value) fill(part);
  }

  media(selector, link) {
    this.part(selector, link, (part) => {
      if (this.fresh(selector, link)) part.src = local(link);
    });
    if (!link) this.find(selector).pause();
  }

  /** Whether the part shows another file so far. A signature changes by the hour; the file under its path never does. */
  fresh(selector, link) {
    const [file] = local(link).split("?");
    const kept = this.find(selector).dataset;
    if (kept.file === file) return false;
    kept.file = file;
    return true;
  }

  note(turn, words) {
    const withoutVideo = ["rendered", "done"].includes(turn.state) && !turn.video_url;
    const stepped = withoutVideo ? turn.steps.map((step) => words.step[step.layer]).filter(Boolean).at(-1) : null;
    const said = turn.error?.message ?? (turn.state === "cancelled" ? words.cancelled : stepped);
    this.part(".note", said, (part) => {
      part.textContent = said;
      part.classList.toggle("bad", Boolean(turn.error));
    });
  }

  work(turn, words) {
    this.part(".work", !over(turn), () => {
      const doing = turn.layer ? words.layers[turn.layer] : turn.queue_position > 0 ? words.place(turn.queue_position) : words.running;
      const wait = turn.eta_s ? ` · ${words.seconds(Math.ceil(turn.eta_s))}` : "";
      this.find(".doing").textContent = doing + wait;
      const bar = this.find("progress");
      if (turn.state === "running" && turn.progress) bar.value = turn.progress;
      else bar.removeAttribute("value");
    });
  }
}
