// The socket that tells of a conversation's turns. It opens again with a growing delay, and at once when the browser
// is online again or the page is looked at again.
import { key, newKey } from "./server.js";

const FIRST_MS = 500;
const LAST_MS = 10000;
const UNKNOWN = 4404;
const BAD_KEY = 4403;

export class Follower {
  /**
   * onTurn: a turn's object. onBack: it opened, `again` after a loss, or after the page slept, when a socket may be dead
   * that looks open. onAway: it is lost. onGone: no such conversation.
   */
  constructor(conversation, told) {
    this.conversation = conversation;
    this.told = told;
    this.delay = FIRST_MS;
    this.lost = false;
    this.wake = () => document.visibilityState === "visible" && (this.lost ? this.now() : this.told.onBack(true));
    this.drop = () => this.away();
    addEventListener("online", this.wake);
    addEventListener("offline", this.drop);
    document.addEventListener("visibilitychange", this.wake);
    this.open();
  }

  open() {
    const address = new URL(`/api/v1/ws/${encodeURIComponent(this.conversation)}`, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    if (key()) address.searchParams.set("api_key", key());
    const socket = (this.socket = new WebSocket(address));
    socket.onmessage = (event) => {
      this.back();
      this.told.onTurn(JSON.parse(event.data));
    };
    socket.onclose = (event) => socket === this.socket && this.ended(event.code);
  }

  /** Known by the first message: the server accepts a socket before it looks whether it can serve it. */
  back() {
    if (this.heard === this.socket) return;
    this.heard = this.socket;
    this.delay = FIRST_MS;
    const again = this.lost;
    this.lost = false;
    this.told.onBack(again);
  }

  async ended(code) {
    if (this.closed) return;
    if (code === UNKNOWN) return this.told.onGone();
    if (code === BAD_KEY && !(await newKey())) return;
    this.away();
  }

  away() {
    this.lost = true;
    this.forsake();
    this.told.onAway();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), this.delay);
    this.delay = Math.min(this.delay * 2, LAST_MS);
  }

  /** A try that waits for its time is made now. */
  now() {
    clearTimeout(this.timer);
    this.forsake();
    this.delay = FIRST_MS;
    this.open();
  }

  forsake() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    removeEventListener("online", this.wake);
    removeEventListener("offline", this.drop);
    document.removeEventListener("visibilitychange", this.wake);
    this.forsake();
  }
}
