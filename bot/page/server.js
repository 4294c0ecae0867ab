// Talks to the server: requests, and the socket that tells of turns.

const KEY = "smarttalker.key";
let askForKey = () => null;

export function onKeyAsked(ask) {
  askForKey = ask;
}

function headers(more) {
  const key = sessionStorage.getItem(KEY);
  return key ? { "X-API-Key": key, ...more } : { ...more };
}

export class Refused extends Error {}

/** The JSON of an answer; throws Refused with the server's sentence, TypeError when it can't be reached. */
export async function call(method, path, { body, language, idempotencyKey } = {}) {
  const more = { "Accept-Language": language ?? "en" };
  if (idempotencyKey) more["Idempotency-Key"] = idempotencyKey;
  const isForm = body instanceof FormData;
  if (body && !isForm) more["Content-Type"] = "application/json";
  const send = () =>
    fetch(path, { method, headers: headers(more), body: isForm ? body : body && JSON.stringify(body), cache: "no-store" });
  let response = await send();
  if (response.status === 403) {
    const key = askForKey();
    if (key) {
      sessionStorage.setItem(KEY, key);
      response = await send();
    }
  }
  const content = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(content.error?.message ?? `${response.status}`);
  return content;
}

/** Tells of turns until `close()`; opens again with a growing delay when the connection goes. */
export class Follower {
  constructor(conversation, { onTurn, onAway }) {
    this.conversation = conversation;
    this.onTurn = onTurn;
    this.onAway = onAway;
    this.delay = 500;
    this.open();
  }

  open() {
    const key = sessionStorage.getItem(KEY);
    const address = new URL(`/api/v1/ws/${encodeURIComponent(this.conversation)}`, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    if (key) address.searchParams.set("api_key", key);
    this.socket = new WebSocket(address);
    this.socket.onmessage = (event) => {
      this.delay = 500;
      this.tellAway(false);
      this.onTurn(JSON.parse(event.data));
    };
    this.socket.onclose = (event) => {
      if (this.closed || event.code === 4404 || event.code === 4403) return;
      this.tellAway(true);
      this.timer = setTimeout(() => this.open(), this.delay);
      this.delay = Math.min(this.delay * 2, 10000);
    };
  }

  tellAway(away) {
    if (away !== Boolean(this.away)) this.onAway(away);
    this.away = away;
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket.close();
  }
}

/** A link of ours as a path, whatever public address the server knows itself by. */
export function local(link) {
  const url = new URL(link, location.href);
  return url.pathname + url.search;
}
