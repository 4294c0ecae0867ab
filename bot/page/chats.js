// The chats that this browser has seen: a list to come back by. It is kept here alone.
import { isTime, keep, recall } from "./kept.js";
import { portraitOf } from "./server.js";
import { dayOf, timeOf, words, write } from "./words.js";

const NAME = "chats";
const MOST = 50;
const LENGTH = 80;

export class Chats {
  /** onOpen: told the conversation that was chosen. */
  constructor(dialog, { onOpen }) {
    this.dialog = dialog;
    this.list = dialog.querySelector(".list");
    this.onOpen = onOpen;
    this.current = null;
    this.chats = remembered();
  }

  /** Something was asked; the first words name the chat. */
  note(id, said, avatar) {
    this.chats = remembered();
    const known = this.chats.find((chat) => chat.id === id);
    const chat = { words: [...said].slice(0, LENGTH).join(""), ...known, id, avatar, at: Date.now() };
    this.chats = [chat, ...this.chats.filter((other) => other !== known)].slice(0, MOST);
    keep(NAME, this.chats);
  }

  remove(id) {
    this.chats = remembered().filter((chat) => chat.id !== id);
    keep(NAME, this.chats.length ? this.chats : null);
    this.show();
  }

  open(current) {
    this.current = current;
    this.chats = remembered();
    this.show();
    this.dialog.showModal();
  }

  show() {
    this.list.replaceChildren(...this.chats.map((chat) => this.entry(chat)));
    this.dialog.querySelector(".empty").hidden = this.chats.length > 0;
  }

  entry(chat) {
    const item = document.createElement("li");
    item.append(this.opener(chat), this.remover(chat));
    return item;
  }

  opener(chat) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "chat" });
    if (chat.id === this.current) button.setAttribute("aria-current", "true");
    const face = Object.assign(document.createElement("img"), { src: portraitOf(chat.avatar), alt: "", className: "face" });
    face.width = face.height = 40;
    const said = Object.assign(document.createElement("span"), { className: "words" });
    write(said, chat.words);
    const at = new Date(chat.at);
    const when = Object.assign(document.createElement("span"), { className: "when" });
    when.textContent = `${dayOf(at)} · ${timeOf(at)}`;
    button.append(face, said, when);
    button.onclick = () => {
      this.dialog.close();
      this.onOpen(chat.id);
    };
    return button;
  }

  remover(chat) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "tool remove", title: words().remove(chat.words) });
    button.setAttribute("aria-label", words().remove(chat.words));
    button.append(document.querySelector("#discard svg").cloneNode(true));
    button.onclick = () => {
      const next = button.parentElement.nextElementSibling ?? button.parentElement.previousElementSibling;
      const place = [...this.list.children].indexOf(next);
      this.remove(chat.id);
      const left = this.list.children[Math.min(place, this.list.children.length - 1)];
      (left?.querySelector(".remove") ?? this.dialog.querySelector(".top button")).focus();
    };
    return button;
  }
}

const isChat = (found) => typeof found?.id === "string" && typeof found.words === "string" && isTime(found.at);

/** As it is now: another tab may have changed it. */
function remembered() {
  const found = recall(NAME);
  return Array.isArray(found) ? found.filter(isChat) : [];
}
