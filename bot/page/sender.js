// What was asked and has not reached the server yet. Everything goes out in its order, each under one key, so that
// what is sent again after a broken connection is answered once. Texts outlive a reload, recordings do not.
import { keep, recall } from "./kept.js";
import { call, Refused } from "./server.js";
import { words } from "./words.js";

const NAME = "outbox";
const FIRST_MS = 1000;
const LAST_MS = 15000;
const GONE = 404;
const TAKEN = 409;

/** 32 hexadecimal digits; randomUUID is only there on secure pages. */
const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export const newChat = newId;

/**
 * An item: key, chat (the page's own name of a chat that may have no conversation yet), conversation, avatar, language,
 * text or blob (with seconds), at (ms), state (waiting, sending, refused), lost (it did not reach the server so far),
 * error and status (the server's sentence and number).
 */
export class Sender {
  /** onItem: an item's state changed. onSent: the server has it. onAway, onBack: whether it can be reached. */
  constructor(told) {
    this.told = told;
    this.items = (recall(NAME) ?? []).map((item) => ({ ...item, state: item.state === "sending" ? "waiting" : item.state }));
    this.delay = FIRST_MS;
    this.busy = false;
    addEventListener("online", () => this.pump());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.pump());
    addEventListener("beforeunload", (event) => this.items.some((item) => item.blob) && event.preventDefault());
  }

  add(content) {
    const item = { key: newId(), at: Date.now(), state: "waiting", error: null, ...content };
    this.items.push(item);
    this.change(item);
    this.pump();
    return item;
  }

  /** A refused item once more, under its key, unless the server knows that for something else. */
  retry(item) {
    const key = item.status === TAKEN ? newId() : item.key;
    Object.assign(item, { state: "waiting", error: null, status: null, key });
    this.change(item);
    this.pump();
  }

  drop(item) {
    this.items = this.items.filter((other) => other !== item);
    this.save();
  }

  /** Those of a chat, in their order. */
  of(chat, conversation) {
    return this.items.filter((item) => item.chat === chat || (conversation && item.conversation === conversation));
  }

  /** Whether a turn of this conversation may be one that is on its way. */
  sending(conversation) {
    return this.items.some((item) => item.state === "sending" && item.conversation === conversation);
  }

  async pump() {
    if (this.busy) return;
    this.busy = true;
    clearTimeout(this.timer);
    try {
      for (let item; (item = this.items.find((each) => each.state === "waiting")); ) await this.send(item);
      this.delay = FIRST_MS;
    } catch {
      this.timer = setTimeout(() => this.pump(), this.delay);
      this.delay = Math.min(this.delay * 2, LAST_MS);
    } finally {
      this.busy = false;
    }
  }

  /** Throws where the server can't be reached. */
  async send(item) {
    this.change(item, "sending");
    try {
      const accepted = await call("POST", "/api/v1/messages", { body: bodyOf(item), idempotencyKey: item.key });
      this.told.onBack();
      this.sent(item, accepted);
    } catch (error) {
      if (!(error instanceof Refused)) {
        item.lost = true;
        this.change(item, "waiting");
        this.told.onAway();
        throw error;
      }
      this.refused(item, error);
    }
  }

  sent(item, accepted) {
    this.drop(item);
    for (const other of this.items) {
      if (other.chat === item.chat) other.conversation ??= accepted.conversation_id;
    }
    this.save();
    this.told.onSent(item, accepted);
  }

  refused(item, error) {
    this.told.onBack();
    Object.assign(item, { error: error.message, status: error.status });
    if (error.status === GONE && item.conversation) {
      Object.assign(item, { error: words().gone, conversation: null });
    }
    this.change(item, "refused");
  }

  change(item, state = item.state) {
    item.state = state;
    this.save();
    this.told.onItem(item);
  }

  save() {
    const texts = this.items.filter((item) => item.text);
    keep(NAME, texts.length ? texts : null);
  }
}

function bodyOf(item) {
  const fields = { language: item.language };
  if (item.avatar) fields.avatar = item.avatar;
  if (item.conversation) fields.conversation_id = item.conversation;
  if (item.text) return { text: item.text, ...fields };
  const form = new FormData();
  form.append("audio", item.blob, "voice");
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}
