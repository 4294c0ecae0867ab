// What the browser remembers. Where it refuses to (private windows, full storage), the page forgets instead of failing.
const NAME = "smarttalker.";

export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(NAME + name));
  } catch {
    return null;
  }
}

/** What is kept may be anybody's; this finds out whether it is a time that dates can have, in ms. */
export const isTime = (found) => typeof found === "number" && !Number.isNaN(new Date(found).getTime());

/** The names that begin with a prefix. */
export function kept(prefix) {
  try {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(NAME + prefix));
    return names.map((name) => name.slice(NAME.length));
  } catch {
    return [];
  }
}

/** null and undefined forget. */
export function keep(name, value) {
  try {
    if (value === null || value === undefined) localStorage.removeItem(NAME + name);
    else localStorage.setItem(NAME + name, JSON.stringify(value));
  } catch {
    // It holds until the page closes.
  }
}

/** A plain word, which the first script reads before any module runs. */
export function keepWord(name, word) {
  try {
    if (word === null) localStorage.removeItem(NAME + name);
    else localStorage.setItem(NAME + name, word);
  } catch {
    // It holds until the page closes.
  }
}
