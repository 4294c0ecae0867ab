// The chat page: no build step, no library.
import { Recorder } from "./recorder.js";
import { call, Follower, onKeyAsked, Refused } from "./server.js";
import { Stage } from "./stage.js";
import { TurnView } from "./turn.js";
import { WORDS } from "./words.js";

const element = (id) => document.getElementById(id);
const kept = (name) => localStorage.getItem(`smarttalker.${name}`);
const keep = (name, value) =>
  value === null ? localStorage.removeItem(`smarttalker.${name}`) : localStorage.setItem(`smarttalker.${name}`, value);

const state = {
  language: kept("language") ?? (navigator.language.startsWith("en") ? "en" : "ar"),
  avatar: kept("avatar"),
  conversation: kept("conversation"),
  avatars: [],
  views: new Map(),
  follower: null,
  pending: null,
};
const waiting = new Stage(element("waiting"));
const words = () => WORDS[state.language] ?? WORDS.ar;

onKeyAsked(() => window.prompt(words().key));

function problem(message) {
  element("problem").hidden = !message;
  element("problem").textContent = message ?? "";
}

/** Runs something that may fail, and says so in a sentence. */
async function tried(work) {
  problem(null);
  try {
    return await work();
  } catch (error) {
    problem(error instanceof Refused ? error.message : words().offline);
    return null;
  }
}

function speak() {
  document.documentElement.lang = state.language;
  document.documentElement.dir = state.language === "ar" ? "rtl" : "ltr";
  const said = words();
  for (const each of document.querySelectorAll("[data-text]")) each.textContent = said[each.dataset.text];
  for (const each of document.querySelectorAll("[data-placeholder]")) each.placeholder = said[each.dataset.placeholder];
  for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", said[each.dataset.label]);
  element("language").textContent = said.other;
  element("language").lang = state.language === "ar" ? "en" : "ar";
  for (const view of state.views.values()) view.show(view.turn, said);
  showAvatars();
}

function showAvatars() {
  const buttons = state.avatars.map((avatar) => {
    const button = document.createElement("button");
    const name = avatar.name[state.language] ?? avatar.id;
    const face = document.createElement("img");
    face.src = avatar.portrait_url;
    face.alt = "";
    face.width = face.height = 40;
    button.type = "button";
    button.setAttribute("role", "radio");
    button.setAttribute("aria-checked", String(avatar.id === state.avatar));
    button.setAttribute("aria-label", name);
    button.title = name;
    button.append(face);
    button.onclick = () => choose(avatar.id);
    return button;
  });
  element("avatars").replaceChildren(...buttons);
}

function choose(avatar) {
  state.avatar = avatar;
  keep("avatar", avatar);
  showAvatars();
  enliven();
}

/** One face moves: that of the newest turn, or before the first one that of whoever will answer. */
function enliven() {
  const views = [...state.views.values()];
  const newest = views.reduce((one, other) => (one && one.turn.seq > other.turn.seq ? one : other), null);
  for (const view of views) view.stage.enliven(view === newest);
  element("waiting").hidden = Boolean(newest) || !state.avatar;
  if (state.avatar) waiting.cast(state.avatar);
  waiting.enliven(!element("waiting").hidden);
}

function showTurn(turn) {
  if (turn.conversation_id !== state.conversation) return;
  const list = element("turns");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 120;
  let view = state.views.get(turn.turn_id);
  if (!view) {
    view = new TurnView(turn, { onCancel: cancel });
    state.views.set(turn.turn_id, view);
    const later = [...state.views.values()].find((other) => other.turn && other.turn.seq > turn.seq);
    list.insertBefore(view.root, later ? later.root : null);
  }
  view.show(turn, words());
  enliven();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

async function cancel(turn) {
  const shown = await tried(() => call("DELETE", `/api/v1/turns/${encodeURIComponent(turn)}`, { language: state.language }));
  if (shown) showTurn(shown);
}

function follow(conversation) {
  state.follower?.close();
  state.conversation = conversation;
  keep("conversation", conversation);
  state.follower =
    conversation && new Follower(conversation, { onTurn: showTurn, onAway: (away) => problem(away ? words().offline : null) });
}

function forget() {
  follow(null);
  state.views.clear();
  element("turns").replaceChildren();
  enliven();
  problem(null);
}

/** The same message again after a broken connection carries the same key, so that it is answered once. */
function keyFor(body) {
  const content = body instanceof FormData ? null : JSON.stringify(body);
  if (content === null || state.pending?.content !== content) {
    state.pending = { content, key: crypto.randomUUID?.() ?? null };
  }
  return state.pending.key;
}

async function send(body) {
  const idempotencyKey = keyFor(body);
  const answer = await tried(() => call("POST", "/api/v1/messages", { body, language: state.language, idempotencyKey }));
  if (!answer) return false;
  state.pending = null;
  if (answer.conversation_id !== state.conversation) follow(answer.conversation_id);
  const turn = await tried(() => call("GET", `/api/v1/turns/${answer.turn_id}`, { language: state.language }));
  if (turn) showTurn(turn);
  return true;
}

/** What is written decides; signs alone are answered in the page's language. */
function languageOf(text) {
  if (/[\u0600-\u06ff]/.test(text)) return "ar";
  return /[a-z]/i.test(text) ? "en" : state.language;
}

async function sendText(event) {
  event.preventDefault();
  const text = element("text").value.trim();
  if (!text) return;
  const body = { text, language: languageOf(text) };
  if (state.avatar) body.avatar = state.avatar;
  if (state.conversation) body.conversation_id = state.conversation;
  element("send").disabled = true;
  if (await send(body)) element("text").value = "";
  element("send").disabled = false;
  element("text").focus();
}

async function sendRecording(recording) {
  showRecording(false);
  const form = new FormData();
  form.append("audio", recording, "voice");
  form.append("language", state.language);
  if (state.avatar) form.append("avatar", state.avatar);
  if (state.conversation) form.append("conversation_id", state.conversation);
  await send(form);
}

function showRecording(active) {
  element("record").setAttribute("aria-pressed", String(active));
  element("record").setAttribute("aria-label", active ? words().stop : words().record);
}

const recorder = new Recorder(sendRecording);

async function toggleRecording() {
  if (recorder.active) return recorder.stop();
  try {
    await recorder.start();
    problem(null);
    showRecording(true);
  } catch {
    problem(words().microphone);
  }
}

async function begin() {
  const found = await tried(() => call("GET", "/api/v1/avatars", { language: state.language }));
  state.avatars = found?.avatars ?? [];
  if (!state.avatars.some((avatar) => avatar.id === state.avatar)) state.avatar = found?.default ?? null;
  if (state.conversation) await recall(state.conversation);
  speak();
  enliven();
}

async function recall(conversation) {
  try {
    const known = await call("GET", `/api/v1/conversations/${encodeURIComponent(conversation)}`, { language: state.language });
    follow(conversation);
    known.turns.forEach(showTurn);
  } catch (error) {
    if (error instanceof Refused) forget();
    else problem(words().offline);
  }
}

element("composer").onsubmit = sendText;
element("text").onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) sendText(event);
};
element("record").onclick = toggleRecording;
element("fresh").onclick = forget;
element("language").onclick = () => {
  state.language = state.language === "ar" ? "en" : "ar";
  keep("language", state.language);
  speak();
};

speak();
begin();
