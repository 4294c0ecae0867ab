// Requests to the server, with its key where it wants one.
import { language, words } from "./words.js";

const KEY = "smarttalker.key";
const ANSWER_MS = 30_000;
const UPLOAD_MS = 150_000;
/** What a proxy says for a server that is away, and the server for a database that is. */
const AWAY = [502, 503, 504];
let askForKey = async () => null;
let asking = null;
let held = heldKey();

/** ask: resolves to a key, or to null where the person has none; told whether one was refused before. */
export function onKeyAsked(ask) {
  askForKey = ask;
}

function heldKey() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export const key = () => held;

/** One dialog, however many requests wait for it. */
export async function newKey() {
  asking ??= askForKey(Boolean(key())).finally(() => (asking = null));
  const given = await asking;
  if (given) hold(given);
  return Boolean(given);
}

function hold(given) {
  held = given;
  try {
    sessionStorage.setItem(KEY, given);
  } catch {
    // It holds until the page closes.
  }
}

/** What the server says, with a status of AWAY, when it is there and takes no more for now. */
const FULL = "queue_full";

/** The server said no, in a sentence for people; everything else that is thrown means that it could not be reached. */
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** The JSON of an answer. Throws Refused, and other errors where the server can't be reached in time. */
export async function call(method, path, { body, idempotencyKey } = {}) {
  let used, response;
  do {
    used = key();
    response = await request(method, path, body, idempotencyKey);
  } while (response.status === 403 && (key() !== used || (await newKey())));
  if (response.ok) return response.json();
  const { error } = await response.json().catch(() => ({}));
  if (AWAY.includes(response.status) && error?.code !== FULL) throw new Error(`the server is away: ${response.status}`);
  throw refusal(response.status, error);
}

/** In the server's words, or in ours where something before it refused. */
function refusal(status, error) {
  return new Refused(error?.message ?? words().refusals[status] ?? words().unknown(status), status);
}

function request(method, path, body, idempotencyKey) {
  const headers = { "Accept-Language": language() };
  if (key()) headers["X-API-Key"] = key();
  if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
  const isForm = body instanceof FormData;
  if (body && !isForm) headers["Content-Type"] = "application/json";
  const signal = AbortSignal.timeout(isForm ? UPLOAD_MS : ANSWER_MS);
  return fetch(path, { method, headers, body: isForm ? body : body && JSON.stringify(body), cache: "no-store", signal });
}

export const conversationPath = (id) => `/api/v1/conversations/${encodeURIComponent(id)}`;
export const turnPath = (id) => `/api/v1/turns/${encodeURIComponent(id)}`;
/** A face as small as it is shown, for screens of two pixels a point; the sizes are the server's. */
export const portraitOf = (avatar, size = 192) => `/api/v1/avatars/${encodeURIComponent(avatar)}/portrait?size=${size}`;

/** A link of ours as a path, whatever public address the server knows itself by. */
export function local(link) {
  const url = new URL(link, location.href);
  return url.pathname + url.search;
}
