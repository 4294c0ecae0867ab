// Before the first message: whoever will answer, moving, with a greeting and questions to begin with.
import { Stage } from "./stage.js";
import { language, onLanguage, told, words, write } from "./words.js";

export class Welcome {
  /** onAsk: told the question that was chosen. */
  constructor(root, { onAsk }) {
    this.root = root;
    this.onAsk = onAsk;
    this.stage = new Stage(root.querySelector(".stage"));
    this.avatar = null;
    onLanguage(() => this.fill());
  }

  /** empty: nothing has been asked yet. */
  show(avatar, empty) {
    this.root.hidden = !empty || !avatar;
    this.avatar = avatar;
    this.fill();
    this.stage.enliven(!this.root.hidden);
  }

  fill() {
    const { avatar } = this;
    if (!avatar || this.root.hidden) return;
    this.stage.cast(avatar.id);
    this.root.querySelector(".idle").setAttribute("aria-label", words().waiting(told(avatar.name)));
    write(this.root.querySelector(".greeting"), told(avatar.greeting));
    const asked = avatar.suggestions?.[language()] ?? [];
    this.root.querySelector("#suggestions").replaceChildren(...asked.map((question) => this.chip(question)));
  }

  chip(question) {
    const item = document.createElement("li");
    const button = Object.assign(document.createElement("button"), { type: "button", className: "suggestion" });
    write(button, question);
    button.onclick = () => this.onAsk(question);
    item.append(button);
    return item;
  }
}
