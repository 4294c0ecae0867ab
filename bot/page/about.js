// What the person should know: that an AI answers, what is read from their words, and what is kept.
import { onLanguage } from "./words.js";

export class About {
  /** onCommand: sends a command of the chat's. */
  constructor(dialog, { onCommand }) {
    this.dialog = dialog;
    this.onCommand = onCommand;
    this.emotion = dialog.querySelector("#emotion");
    this.emotion.onclick = () => this.toggle();
    dialog.querySelector("#privacy").onclick = () => this.command("/privacy");
    dialog.querySelector("#delete").onclick = () => this.command("/delete_me");
    this.show(true);
    onLanguage(() => this.show(this.on));
  }

  /** on: whether this conversation's words are read for emotion. */
  show(on) {
    this.on = on;
    this.emotion.setAttribute("aria-checked", String(on));
  }

  toggle() {
    this.show(!this.on);
    this.onCommand(`/emotion ${this.on ? "on" : "off"}`);
  }

  command(line) {
    this.dialog.close();
    this.onCommand(line);
  }

  open() {
    this.dialog.showModal();
  }
}
