// Requests to the server, with its key where it wants one.
import { language, words } from "./words.js";

const KEY = "smarttalker.key";
let askForKey = async () => null;
let asking = null;

/** ask: resolves to a key, or to null where the person has none; told whether one was refused before. */
export function onKeyAsked(ask) {
  askForKey = ask;
}

export const key = () => sessionStorage.getItem(KEY);

/** One dialog, however many requests wait for it. */
export async function newKey() {
  asking ??= askForKey(Boolean(key())).finally(() => (asking = null));
  const given = await asking;
  if (given) sessionStorage.setItem(KEY, given);
  return Boolean(given);
}

/** The server said no, in a sentence for people; everything else that is thrown means that it could not be reached. */
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** The JSON of an answer. Throws Refused, TypeError. */
export async function call(method, path, { body, idempotencyKey } = {}) {
  let response = await request(method, path, body, idempotencyKey);
  while (response.status === 403 && (await newKey())) {
    response = await request(method, path, body, idempotencyKey);
  }
  const content = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(content.error?.message ?? words().unknown(response.status), response.status);
  return content;
}

function request(method, path, body, idempotencyKey) {
  const headers = { "Accept-Language": language() };
  if (key()) headers["X-API-Key"] = key();
  if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
  const isForm = body instanceof FormData;
  if (body && !isForm) headers["Content-Type"] = "application/json";
  return fetch(path, { method, headers, body: isForm ? body : body && JSON.stringify(body), cache: "no-store" });
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
