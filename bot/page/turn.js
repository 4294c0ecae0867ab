// One question and its answer. Everything from outside goes in as text or as a checked link, never as markup.
import { announce } from "./announcer.js";
import { offered } from "./commands.js";
import { hears, Player } from "./player.js";
import { local, portraitOf } from "./server.js";
import { Stage } from "./stage.js";
import { timeOf, words, write } from "./words.js";

const ENDS = ["done", "failed", "cancelled", "superseded", "merged"];
const LAYERS = ["asr", "emotion", "llm", "tts", "video", "upscale"];
const SPOKEN = ["tts", "video", "upscale"];

const over = (turn) => ENDS.includes(turn.state) || turn.state === "rendered";
/** An answer to a request may come after the socket has told of the turn's end. */
const isOlder = (turn, than) => (over(than) && !over(turn)) || (ENDS.includes(than.state) && !ENDS.includes(turn.state));
/** Whether no more words of the answer will come. */
const written = (turn) => over(turn) || SPOKEN.includes(turn.layer);

export class TurnView {
  /** acts: onCancel, onRetry, onForget, onLost, each told this view; onCommand, told a command. nameOf: an avatar's name by its id. */
  constructor(acts, nameOf) {
    this.root = document.getElementById("turn").content.firstElementChild.cloneNode(true);
    this.acts = acts;
    this.nameOf = nameOf;
    this.turn = null;
    this.item = null;
    this.waited = false;
    this.stage = new Stage(this.find(".stage"));
    this.spoken = new Player(this.find(".spoken"), "voice");
    this.spoken.audio.addEventListener("ended", () => this.turn && this.show(this.turn));
    for (const part of [this.spoken.audio, this.find(".video")]) part.addEventListener("error", () => this.lost());
    this.find(".cancel").onclick = () => acts.onCancel(this);
    this.find(".retry").onclick = () => acts.onRetry(this);
    this.find(".forget").onclick = () => acts.onForget(this);
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  get at() {
    return new Date(this.turn?.created_at ?? this.item.at);
  }

  /** A message that the server does not have yet, or has without its turn being told of. */
  unsent(item) {
    this.item = item;
    this.root.dataset.state = item.state;
    this.find(".answer").hidden = true;
    this.own(item);
    this.asked(item.text ?? null, Boolean(item.blob), item.language);
    const away = item.lost || !navigator.onLine;
    this.part(".sending", !item.error && (away ? words().kept : words().sending));
    this.outcome(item.error, { bad: true, retry: true, forget: true });
  }

  /** The person's own recording can be heard as long as the page lives. */
  own(item) {
    if (!item.blob || this.recording) return;
    this.recording = new Player(this.find(".own"), "mine");
    this.address = URL.createObjectURL(item.blob);
    this.recording.load(this.address, item.seconds);
    this.find(".own").hidden = false;
  }

  /** A file can't be had, perhaps because it is no longer kept. Asked once: a browser may be unable to play it. */
  lost() {
    if (this.inquired || !this.turn) return;
    this.inquired = true;
    this.acts.onLost(this);
  }

  /** The page shows it no more. */
  leave() {
    this.stage.enliven(false);
    if (this.address) URL.revokeObjectURL(this.address);
  }

  show(turn) {
    // While a turn runs, an event may come without the words that an earlier one brought.
    if (turn.state === "running" && turn.text === null) turn = { ...turn, text: this.turn?.text ?? null };
    const before = this.turn;
    if (before && isOlder(turn, before)) return;
    this.turn = turn;
    Object.assign(this.root.dataset, { turn: turn.turn_id, state: turn.state });
    this.part(".sending", null);
    this.asked(turn.transcript, turn.input === "voice", null);
    this.answer(turn);
    this.work(turn);
    this.told(turn);
    this.tell(before, turn);
    this.waited ||= !over(turn);
  }

  /** In another language of the page's. */
  again() {
    if (this.turn) this.show(this.turn);
    else this.unsent(this.item);
  }

  asked(text, voice, language) {
    this.find(".asked").setAttribute("aria-label", words().you);
    this.part(".heard", voice && text && words().transcript);
    const said = this.find(".said");
    if (text) write(said, text, language ?? undefined);
    else write(said, words().voice, null);
    said.hidden = !text && Boolean(this.recording);
    this.root.classList.toggle("aloud", voice);
    this.recording?.show(words().yourVoice);
    const time = this.find("time");
    time.dateTime = this.at.toISOString();
    time.textContent = timeOf(this.at);
  }

  answer(turn) {
    const name = this.nameOf(turn.avatar);
    this.find(".card").setAttribute("aria-label", words().answerOf(name));
    const face = this.find(".answer > .face");
    if (face.dataset.avatar !== turn.avatar) {
      face.dataset.avatar = turn.avatar;
      face.src = portraitOf(turn.avatar);
    }
    this.part(".text", turn.text, (part) => write(part, turn.text, turn.language));
    this.find(".text").classList.toggle("growing", !written(turn));
    this.choices(turn);
    this.voice(turn);
    this.play(turn);
    this.find(".video").setAttribute("aria-label", words().generated(name));
    this.find(".again").setAttribute("aria-label", words().again);
    this.find(".mark").textContent = words().generatedMark;
    this.find(".answer").hidden = over(turn) && !turn.text && !turn.audio_url && !turn.video_url;
  }

  /** A command's menu can be pressed; what an engine wrote never becomes a command. */
  choices(turn) {
    const isMenu = turn.text && turn.transcript?.startsWith("/") && Object.keys(turn.engines).length === 0;
    this.part(".choices", isMenu && offered(turn.text), (part) => {
      const buttons = offered(turn.text).map(({ title, command }) => {
        const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet" });
        write(button, title);
        button.onclick = () => this.acts.onCommand(command);
        return button;
      });
      part.hidden = buttons.length === 0;
      part.replaceChildren(...buttons);
    });
  }

  /** The video takes the voice message's place, but not out of the listener's ear. */
  voice(turn) {
    const shown = turn.audio_url && hears(local(turn.audio_url)) && (!turn.video_url || !this.spoken.audio.paused);
    if (shown) this.put(this.spoken.audio, turn.audio_url, (path) => this.spoken.load(path));
    this.find(".spoken").hidden = !shown;
    this.spoken.show(words().answerVoice);
  }

  /** The face waits where an answer may come, and speaks it. */
  play(turn) {
    this.stage.cast(turn.avatar);
    // Whoever waits behind others waits in a line, without a picture.
    const waits = !over(turn) && (turn.queue_position ?? 0) <= 1;
    const staged = waits || Boolean(turn.video_url);
    this.find(".stage").hidden = !staged;
    this.root.classList.toggle("staged", staged);
    if (turn.video_url) this.put(this.find(".video"), turn.video_url, (path) => this.stage.answer(path, this.waited));
  }

  /** Loads a file that the part does not show yet. Links expire and connections break, files do not change. */
  put(part, link, load) {
    const path = local(link);
    const [file] = path.split("?");
    if (part.dataset.file !== file) {
      part.dataset.file = file;
      load(path);
      return;
    }
    const isStale = part.readyState === HTMLMediaElement.HAVE_NOTHING && part.getAttribute("src") !== path;
    if (isStale || part.error) part.src = path;
  }

  work(turn) {
    this.part(".work", !over(turn), () => {
      const layer = this.furthest(turn);
      this.find(".doing").textContent = doing(turn, layer);
      const eta = this.find(".eta");
      eta.textContent = turn.eta_s === null ? "" : words().seconds(Math.ceil(turn.eta_s));
      const bar = this.find("progress");
      bar.setAttribute("aria-label", words().progress);
      if (turn.state === "running" && turn.layer === layer && turn.progress) bar.value = turn.progress;
      else if (turn.state !== "running" || turn.layer === layer) bar.removeAttribute("value");
      this.find(".cancel").textContent = words().cancel;
    });
  }

  /** Layers work sentence by sentence and take turns; told is the one that came last in their order. */
  furthest(turn) {
    const place = turn.state === "running" ? LAYERS.indexOf(turn.layer) : -1;
    this.reached = turn.state === "running" ? Math.max(place, this.reached ?? -1) : -1;
    return LAYERS[this.reached] ?? null;
  }

  told(turn) {
    const ends = { cancelled: words().cancelled, superseded: words().superseded, merged: words().merged };
    const bad = Boolean(turn.error);
    const again = turn.state === "failed" && (turn.input === "text" || Boolean(this.recording));
    const gone = turn.media_removed ? words().removed : null;
    this.outcome(turn.error?.message ?? ends[turn.state] ?? gone ?? stepped(turn), { bad, retry: bad && again, forget: false });
  }

  outcome(said, { bad, retry, forget }) {
    this.part(".outcome", said, (part) => {
      part.classList.toggle("bad", bad);
      write(this.find(".note"), said);
      const button = this.find(".retry");
      button.hidden = !retry;
      button.textContent = words().retry;
      this.find(".forget").hidden = !forget;
      this.find(".forget").setAttribute("aria-label", words().dismiss);
    });
  }

  /** What has changed, for those who listen: that it is being worked on, the answer, its video, its end. */
  tell(before, turn) {
    if (!this.waited) return;
    before ??= { state: "queued" };
    if (turn.state === "running" && before.state !== "running") announce(words().running);
    if (written(turn) && turn.text && !(written(before) && before.text)) {
      announce(words().answerOf(this.nameOf(turn.avatar)));
      announce(turn.text, turn.language);
    }
    if (turn.video_url && !before.video_url) announce(words().announced.video);
    if (over(turn) && !over(before) && !this.find(".outcome").hidden) announce(this.find(".note").textContent);
  }

  part(selector, value, fill = (part) => (part.textContent = value)) {
    const part = this.find(selector);
    part.hidden = !value;
    if (value) fill(part);
  }
}

function doing(turn, layer) {
  if (turn.state === "received") return words().received;
  if (turn.state === "queued") return words().place(turn.queue_position ?? 1);
  return words().layers[layer] ?? words().running;
}

/** How the answer stepped down, where the person can notice it: in what it says, and in how it is shown. */
function stepped(turn) {
  if (!over(turn)) return null;
  return [lessSaid(turn), otherVoice(turn), lessShown(turn)].filter(Boolean).join(" ") || null;
}

function lessSaid(turn) {
  const step = turn.steps.filter((each) => each.layer === "llm").at(-1);
  if (!step) return null;
  return step.code === "llm_cut" ? words().step.cut : words().step.llm;
}

/** A voice that failed is another voice where anything was spoken. */
function otherVoice(turn) {
  const spoken = turn.audio_url || turn.video_url;
  return spoken && turn.steps.some((step) => step.layer === "tts") ? words().step.voice : null;
}

function lessShown(turn) {
  if (turn.steps.some((step) => step.code === "video_day")) return words().step.day;
  const spoken = turn.audio_url || turn.video_url;
  const layers = turn.steps.map((step) => step.layer).filter((layer) => layer !== "tts" || !spoken);
  if (turn.video_url && layers.includes("video")) return words().simpler;
  if (turn.video_url) return layers.includes("upscale") ? words().step.upscale : null;
  if (turn.audio_url && !hears(local(turn.audio_url))) return words().unheard;
  return ["tts", "video"].filter((layer) => layers.includes(layer)).map((layer) => words().step[layer]).at(0) ?? null;
}
