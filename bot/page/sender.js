// What was asked and has not reached the server yet. Everything goes out in its order, each under one key, so that
// what is sent again after a broken connection, or by another tab too, is answered once. Texts outlive a reload,
// recordings do not.
import { isTime, keep, kept, recall } from "./kept.js";
import { call, Refused } from "./server.js";
import { words } from "./words.js";

const NAME = "outbox.";
const FIRST_MS = 1000;
const LAST_MS = 15000;
const KEY = /^[0-9a-f]{32}$/;
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
    this.items = remembered();
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

  /**
   * A refused item once more, under its key unless the server knows that for something else. Where the server does not
   * know its conversation or its avatar any more, it begins a conversation in this chat, with this avatar.
   */
  retry(item, chat, avatar) {
    if (item.status === GONE) Object.assign(item, { conversation: null, chat, avatar });
    if (item.status === TAKEN) {
      forget(item);
      item.key = newId();
    }
    Object.assign(item, { error: null, status: null });
    this.change(item, "waiting");
    this.pump();
  }

  drop(item) {
    this.items = this.items.filter((other) => other !== item);
    forget(item);
  }

  /** What was meant for a conversation that is no more goes into a chat that will begin one, refused for that or not. */
  move(conversation, chat) {
    for (const item of this.of(null, conversation)) {
      Object.assign(item, { conversation: null, chat });
      if (item.status === GONE) Object.assign(item, { state: "waiting", error: null, status: null });
      save(item);
    }
  }

  /** Those of a chat, in their order. */
  of(chat, conversation) {
    return this.items.filter((item) => item.chat === chat || (conversation && item.conversation === conversation));
  }

  /** Whether a turn may be that of an item which the server has, or may have, without having said so. */
  mayBe(turn) {
    const isIts = (item) => (item.blob ? turn.input === "voice" : turn.transcript === item.text);
    const isUnderway = (item) => item.state === "sending" || (item.state === "waiting" && item.lost);
    return this.items.some((item) => isUnderway(item) && item.conversation === turn.conversation_id && isIts(item));
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
    const { conversation } = item;
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
      this.told.onBack();
      // It was moved meanwhile, away from what was not found.
      if (error.status === GONE && item.conversation !== conversation) this.change(item, "waiting");
      else this.refused(item, error);
    }
  }

  sent(item, accepted) {
    this.drop(item);
    for (const other of this.items) {
      if (other.chat !== item.chat) continue;
      other.conversation ??= accepted.conversation_id;
      save(other);
    }
    this.told.onSent(item, accepted);
  }

  refused(item, error) {
    Object.assign(item, { error: error.status === GONE ? words().adrift : error.message, status: error.status });
    this.change(item, "refused");
  }

  change(item, state = item.state) {
    item.state = state;
    save(item);
    this.told.onItem(item);
  }
}

const save = (item) => item.text && keep(NAME + item.key, item);
const forget = (item) => keep(NAME + item.key, null);

const isItem = (found) => KEY.test(found?.key) && typeof found.text === "string" && isTime(found.at);

/** What this tab or another left, oldest first. */
function remembered() {
  const items = kept(NAME).map(recall).filter(isItem);
  for (const item of items) {
    if (item.state === "refused" && typeof item.error === "string") continue;
    Object.assign(item, { state: "waiting", error: null, status: null });
  }
  return items.sort((one, other) => one.at - other.at);
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
