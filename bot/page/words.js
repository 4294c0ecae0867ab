// The page's own language: its words, its direction, how it writes times.
import { keepWord } from "./kept.js";
import { AR } from "./words/ar.js";
import { EN } from "./words/en.js";

const WORDS = { ar: AR, en: EN };
const LOCALES = { ar: "ar-u-nu-latn", en: navigator.languages.find((tag) => /^en-/.test(tag)) ?? "en-GB" };
const HOURS = { ar: "numeric", en: "2-digit" };
const DAY_MS = 24 * 60 * 60 * 1000;
const listeners = new Set();
const formats = new Map();

export const language = () => document.documentElement.lang;

export const words = () => WORDS[language()] ?? AR;

/** One text of several: the page's, else any. */
export const told = (texts) => texts?.[language()] ?? Object.values(texts ?? {})[0] ?? "";

/** Calls now, and again whenever the language changes. */
export function onLanguage(show) {
  listeners.add(show);
  show();
}

export function switchLanguage() {
  const root = document.documentElement;
  root.lang = language() === "ar" ? "en" : "ar";
  root.dir = root.lang === "ar" ? "rtl" : "ltr";
  keepWord("language", root.lang);
  for (const show of listeners) show();
}

const ATTRIBUTES = { text: "textContent", label: "ariaLabel", title: "title", placeholder: "placeholder" };

/** Puts words where the markup names them: data-text, data-label, data-title, data-placeholder. */
export function fill(root) {
  for (const [name, property] of Object.entries(ATTRIBUTES)) {
    for (const each of root.querySelectorAll(`[data-${name}]`)) put(each, property, words()[each.dataset[name]]);
  }
}

function put(element, property, value) {
  if (property === "ariaLabel") element.setAttribute("aria-label", value);
  else element[property] = value;
}

/** The language of most of a text's words, Arabic where there are as many; signs alone are in nobody's. */
export function languageOf(text) {
  const arabic = text.match(/\p{Script=Arabic}[\p{Script=Arabic}\p{M}]*/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}+/gu)?.length ?? 0;
  if (arabic + latin === 0) return null;
  return arabic >= latin ? "ar" : "en";
}

/** A text of either language in an element of the page's. */
export function write(element, text, itsLanguage = languageOf(text)) {
  if (element.textContent !== text) element.textContent = text;
  element.dir = "auto";
  if (itsLanguage && itsLanguage !== language()) element.lang = itsLanguage;
  else element.removeAttribute("lang");
}

/** To make a format takes long, and a conversation asks for many. */
function formatted(options, date) {
  const name = JSON.stringify([language(), options]);
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat(LOCALES[language()], options));
  return formats.get(name).format(date);
}

export const timeOf = (date) => formatted({ hour: HOURS[language()], minute: "2-digit" }, date);

const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());

/** "Today", "Yesterday", else the date. */
export function dayOf(date) {
  const ago = Math.round((midnight(new Date()) - midnight(date)) / DAY_MS);
  if (ago === 0 || ago === 1) return words().days[ago];
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return formatted({ weekday: "long", day: "numeric", month: "long", year }, date);
}

/** Seconds as 1:05. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
