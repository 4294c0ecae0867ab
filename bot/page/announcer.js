// Says to screen readers what changed, and nothing else: ticks of progress are for the eye.
import { write } from "./words.js";

const KEPT_MS = 15000;

export function announce(text, language) {
  const line = document.createElement("span");
  write(line, text, language);
  document.getElementById("announce").append(line, " ");
  setTimeout(() => line.remove(), KEPT_MS);
}
