// The line that says whether the server can be reached.
import { onLanguage, words } from "./words.js";

const BACK_MS = 2500;

export class Connection {
  constructor(line) {
    this.line = line;
    this.lost = new Set();
    this.wasLost = false;
    onLanguage(() => this.show());
  }

  /** who: whose connection it is; the server can't be reached as long as anybody's is lost. */
  set(who, away) {
    if (away) this.lost.add(who);
    else this.lost.delete(who);
    this.show();
  }

  show() {
    clearTimeout(this.timer);
    const away = this.lost.size > 0;
    if (away) this.say("away", words().offline);
    else if (this.wasLost) this.back();
    this.wasLost = away;
  }

  back() {
    this.say("back", words().back);
    this.timer = setTimeout(() => (this.line.hidden = true), BACK_MS);
  }

  say(state, text) {
    this.line.dataset.state = state;
    this.line.hidden = false;
    this.line.textContent = text;
  }
}
