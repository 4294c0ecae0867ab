// The chat page: no build step, no library. This file makes the parts and ties them together.
import { About } from "./about.js";
import { announce } from "./announcer.js";
import { Chats } from "./chats.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Follower } from "./follower.js";
import { keep, recall } from "./kept.js";
import { askForKey } from "./keys.js";
import { Picker } from "./picker.js";
import { newChat, Sender } from "./sender.js";
import { call, conversationPath, onKeyAsked, Refused, turnPath } from "./server.js";
import { silence } from "./sound.js";
import { Sticking } from "./sticking.js";
import { addTheme } from "./theme.js";
import { Turns } from "./turns.js";
import { Welcome } from "./welcome.js";
import { fill, language, languageOf, onLanguage, switchLanguage, words } from "./words.js";

const AGAIN_MS = 3000;
const element = (id) => document.getElementById(id);

const word = (found) => (typeof found === "string" ? found : null);
const now = recall("now");
const state = { conversation: word(now?.conversation), chat: newChat(), follower: null, held: [] };

onKeyAsked((wrong) => askForKey(element("keys"), wrong));
onLanguage(() => fill(document));

const connection = new Connection(element("connection"));
const picker = new Picker(element("who"), element("avatars"), { onChoose: chosen });
const turns = new Turns(element("turns"), { onCancel: cancel, onRetry: retry, onForget: forget, onLost: lost, onCommand: ask }, (id) => picker.nameOf(id));
const welcome = new Welcome(element("welcome"), { onAsk: ask });
const sticking = new Sticking(element("scroll"), element("turns"), element("newest"));
const chats = new Chats(element("chats"), { onOpen: open });
const about = new About(element("about"), { onCommand: ask });
const sender = new Sender({
  onItem: showItem,
  onSent: sent,
  onAway: () => connection.set("sender", true),
  onBack: () => connection.set("sender", false),
});
new Composer(element("composer"), { onText: ask, onVoice: say, onProblem: problem });

function problem(message) {
  for (const id of ["problem", "dismiss"]) element(id).hidden = !message;
  element("problem").textContent = message ?? "";
}

/** Runs something that may fail, and says so in a sentence; null then. */
async function tried(work) {
  try {
    const result = await work();
    problem(null);
    return result;
  } catch (error) {
    problem(error instanceof Refused ? error.message : words().offline);
    return null;
  }
}

function show() {
  welcome.show(picker.avatar, turns.empty);
  document.body.classList.toggle("fresh", turns.empty);
}

function chosen(avatar) {
  keep("avatar", avatar);
  show();
}

function remember() {
  keep("now", { conversation: state.conversation, chat: state.chat });
}

/** A text of the person's: what is written decides its language; commands and signs are answered in the page's. */
function ask(text) {
  const its = text.startsWith("/") ? null : languageOf(text);
  enqueue({ text, language: its ?? language() });
}

function say(blob, seconds) {
  enqueue({ blob, seconds, language: language() });
}

function enqueue(content) {
  sticking.stuck = true;
  sender.add({ chat: state.chat, conversation: state.conversation, avatar: picker.chosen, ...content });
}

const isHere = (item) => item.chat === state.chat || (item.conversation && item.conversation === state.conversation);

function showItem(item) {
  if (!isHere(item)) return;
  turns.await(item);
  if (item.state !== "sending") release();
  if (item.error) announce(item.error);
  show();
}

async function sent(item, { turn_id: turn, conversation_id: conversation }) {
  chats.note(conversation, item.text ?? words().voice, item.avatar);
  if (!picker.avatar) meet();
  if (!isHere(item)) return;
  turns.accept(item, turn);
  if (conversation !== state.conversation) follow(conversation);
  release();
  const known = await call("GET", turnPath(turn)).catch(() => null);
  // What the socket told meanwhile is newer.
  if (known && !turns.known.get(turn)?.turn) showTurn(known);
}

/** A turn of a message whose answer to POST is still on its way waits for it, and is not shown twice. */
function showTurn(turn) {
  if (turn.conversation_id !== state.conversation) return;
  if (!turns.has(turn.turn_id) && sender.mayBe(turn)) return void state.held.push(turn);
  turns.show(turn);
  show();
}

function release() {
  for (const held of state.held.splice(0)) showTurn(held);
}

/** Keeps the keyboard in the conversation when what was pressed goes away. */
function stay() {
  element("scroll").focus({ preventScroll: true });
}

async function cancel(view) {
  stay();
  const shown = await tried(() => call("DELETE", turnPath(view.turn.turn_id)));
  if (shown) showTurn(shown);
}

function retry(view) {
  stay();
  if (!view.turn) return sender.retry(view.item, state.chat, picker.chosen);
  const { item, turn } = view;
  if (item?.blob) return say(item.blob, item.seconds);
  return ask(turn.transcript);
}

/** What the server says of a turn whose files can't be had; one that it no longer has keeps its words here. */
async function lost({ turn }) {
  const gone = { ...turn, audio_url: null, video_url: null, media_removed: true };
  const known = await call("GET", turnPath(turn.turn_id)).catch((error) => (error.status === 404 ? gone : null));
  if (known) showTurn(known);
}

function forget(view) {
  sender.drop(view.item);
  turns.forget(view.item);
  stay();
  show();
}

function follow(conversation) {
  state.follower?.close();
  state.conversation = conversation;
  state.held = [];
  remember();
  connection.forget("follower", "page");
  state.follower =
    conversation &&
    new Follower(conversation, {
      onTurn: showTurn,
      onBack: backAgain,
      onAway: () => connection.set("follower", true),
      onGone: () => gone(conversation),
    });
}

/** The socket tells of the last turn alone: what else ended while it was away is asked for. */
function backAgain(again) {
  connection.set("follower", false);
  sender.pump();
  if (again) catchUp(state.conversation).catch(() => {});
}

async function catchUp(conversation) {
  const known = await call("GET", conversationPath(conversation));
  if (conversation !== state.conversation) return null;
  about.show(known.emotion_enabled);
  known.turns.forEach(showTurn);
  return known;
}

function gone(conversation) {
  const chat = newChat();
  chats.remove(conversation);
  sender.move(conversation, chat);
  begin(chat, null);
  problem(words().gone);
  sender.pump();
}

/** Shows a chat, a new one or one of the server's; what is still to be sent in it stands at its end. */
function begin(chat, conversation) {
  silence();
  problem(null);
  turns.clear();
  state.chat = chat;
  about.show(true);
  follow(conversation);
  for (const item of sender.of(chat, conversation)) turns.await(item);
  sticking.stuck = true;
  show();
}

async function open(conversation) {
  begin(newChat(), conversation);
  await load(conversation);
}

/** What was said in a chat; asked again until the server can be reached, or another chat is shown. */
async function load(conversation) {
  try {
    const known = await catchUp(conversation);
    connection.set("page", false);
    const avatar = known?.turns.at(-1)?.avatar;
    if (avatar) picker.choose(avatar);
  } catch (error) {
    if (conversation !== state.conversation) return;
    if (error instanceof Refused && error.status === 404) return gone(conversation);
    if (error instanceof Refused) return problem(error.message);
    connection.set("page", true);
    setTimeout(() => conversation === state.conversation && load(conversation), AGAIN_MS);
  }
}

/** Everyone who can answer; asked again until the server can be reached. Refused, it is asked with the next message. */
async function meet() {
  try {
    const found = await call("GET", "/api/v1/avatars");
    connection.set("page", false);
    const kept = recall("avatar");
    const known = found.avatars.some((avatar) => avatar.id === kept);
    picker.fill(found.avatars, known ? kept : found.default);
    turns.again();
    show();
  } catch (error) {
    if (error instanceof Refused) return problem(error.message);
    connection.set("page", true);
    setTimeout(meet, AGAIN_MS);
  }
}

/** A chat without a conversation is another tab's as well only where it holds what both may have to send. */
async function start() {
  const chat = word(now?.chat);
  if (state.conversation) show();
  else begin(chat && sender.of(chat, null).length > 0 ? chat : state.chat, null);
  await meet();
  // Somebody quick may have begun another chat.
  if (state.conversation && !state.follower) await open(state.conversation);
  sender.pump();
}

element("fresh").onclick = () => {
  begin(newChat(), null);
  if (matchMedia("(pointer: fine)").matches) element("text").focus();
};
element("history").onclick = () => chats.open(state.conversation);
element("more").onclick = () => {
  about.open();
  if (state.conversation) catchUp(state.conversation).catch(() => {});
};
element("dismiss").onclick = () => {
  problem(null);
  stay();
};
element("language").onclick = switchLanguage;
onLanguage(() => {
  const button = element("language");
  for (const [kind, text] of Object.entries(words().other)) button.querySelector(`.${kind}`).textContent = text;
  button.lang = language() === "ar" ? "en" : "ar";
  button.setAttribute("aria-label", words().otherLabel);
});
addTheme(element("theme"));
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
start();
