// Who answers: the head of the page, and the cards to choose from.
import { portraitOf } from "./server.js";
import { onLanguage, told, words } from "./words.js";

export class Picker {
  /** onChoose: told the id of the avatar that was chosen. */
  constructor(button, dialog, { onChoose }) {
    this.button = button;
    this.dialog = dialog;
    this.onChoose = onChoose;
    this.avatars = [];
    this.chosen = null;
    button.onclick = () => this.open();
    onLanguage(() => this.show());
  }

  get avatar() {
    return this.avatars.find((avatar) => avatar.id === this.chosen) ?? null;
  }

  nameOf(id) {
    return told(this.avatars.find((avatar) => avatar.id === id)?.name) || id;
  }

  fill(avatars, chosen) {
    this.avatars = avatars;
    this.chosen = chosen;
    this.show();
  }

  choose(id) {
    if (!this.avatars.some((avatar) => avatar.id === id)) return;
    this.chosen = id;
    this.show();
    this.onChoose(id);
  }

  open() {
    this.dialog.showModal();
    this.dialog.querySelector("input:checked")?.focus();
  }

  show() {
    const { avatar } = this;
    this.button.disabled = !avatar;
    if (!avatar) return;
    const face = this.button.querySelector(".face");
    if (face.dataset.avatar !== avatar.id) {
      face.dataset.avatar = avatar.id;
      face.src = portraitOf(avatar.id);
    }
    this.button.querySelector(".name").textContent = told(avatar.name);
    this.button.querySelector(".business").textContent = told(avatar.business);
    this.button.setAttribute("aria-label", words().who(told(avatar.name), told(avatar.business)));
    this.cards();
  }

  /** The cards that are there stay, so that the one with the focus keeps it. */
  cards() {
    const box = this.dialog.querySelector(".cards");
    const ids = [...box.querySelectorAll("input")].map((input) => input.value);
    if (ids.join() !== this.avatars.map((avatar) => avatar.id).join()) {
      box.replaceChildren(...this.avatars.map((avatar) => this.card(avatar)));
    }
    this.avatars.forEach((avatar, place) => this.describe(box.children[place], avatar));
  }

  card(avatar) {
    const card = Object.assign(document.createElement("label"), { className: "person" });
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "avatar", value: avatar.id });
    input.onchange = () => this.choose(avatar.id);
    // A click with a pointer is a decision; the arrow keys only look around.
    input.addEventListener("click", (event) => event.detail > 0 && this.dialog.close());
    input.addEventListener("keydown", (event) => this.decide(event));
    const face = Object.assign(document.createElement("img"), { src: portraitOf(avatar.id), alt: "", width: 96, height: 96 });
    const name = Object.assign(document.createElement("strong"), { className: "name" });
    const business = Object.assign(document.createElement("span"), { className: "business" });
    const whom = Object.assign(document.createElement("span"), { className: "whom" });
    whom.append(name, business);
    card.append(input, face, whom);
    return card;
  }

  decide(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    this.dialog.close();
  }

  describe(card, avatar) {
    card.querySelector("input").checked = avatar.id === this.chosen;
    card.querySelector(".name").textContent = told(avatar.name);
    card.querySelector(".business").textContent = told(avatar.business);
  }
}
