// The lines of a menu that end in a command ("Yes, delete it all: /delete_me yes"), as buttons.
const LINE = /^(?:✓ *)?(?:\d+\. |• )?(.+?): *[\u2066-\u2069\u200e]*(\/[^\s\u2066-\u2069]+(?: [^\s\u2066-\u2069]+)?)[\u2066-\u2069]*$/u;

/** What a text offers: pairs of title and command. */
export function offered(text) {
  return text
    .split("\n")
    .map((line) => LINE.exec(line.trim()))
    .filter(Boolean)
    .map(([, title, command]) => ({ title, command }));
}
