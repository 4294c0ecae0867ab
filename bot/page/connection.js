// The line that says whether the server can be reached.
import { onLanguage, words } from "./words.js";

const GRACE_MS = 700;
const BACK_MS = 2500;

export class Connection {
  constructor(line) {
    this.line = line;
    this.lost = new Set();
    onLanguage(() => this.say(this.line.dataset.state));
  }

  /** who: whose connection it is; the server can't be reached as long as anybody's is lost. A moment is nobody's loss. */
  set(who, away) {
    const before = this.lost.size > 0;
    if (away) this.lost.add(who);
    else this.lost.delete(who);
    const now = this.lost.size > 0;
    if (now === before) return;
    clearTimeout(this.timer);
    if (now) this.timer = setTimeout(() => this.say("away"), navigator.onLine ? GRACE_MS : 0);
    else if (this.line.dataset.state) this.back();
  }

  /** Nobody waits for their connections any more; that one is back would be no news, and perhaps untrue. */
  forget(...whose) {
    for (const who of whose) this.lost.delete(who);
    if (this.lost.size > 0) return;
    clearTimeout(this.timer);
    this.say("");
  }

  back() {
    this.say("back");
    this.timer = setTimeout(() => this.say(""), BACK_MS);
  }

  /** state: away, back, or nothing to tell. */
  say(state = "") {
    this.line.dataset.state = state;
    this.line.hidden = !state;
    this.line.textContent = { away: words().offline, back: words().back }[state] ?? "";
  }
}
