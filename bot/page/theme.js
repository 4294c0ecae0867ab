// Light or dark: the system's, until the person chooses; choosing what the system has follows it again.
import { keepWord } from "./kept.js";
import { onLanguage, words } from "./words.js";

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);

export function addTheme(button) {
  const show = () => {
    const label = isDark() ? words().light : words().dark;
    button.setAttribute("aria-label", label);
    button.title = label;
    const ground = getComputedStyle(document.body).backgroundColor;
    document.querySelector('meta[name="theme-color"]').content = ground;
  };
  button.onclick = () => {
    const dark = !isDark();
    if (dark === systemDark.matches) delete root.dataset.theme;
    else root.dataset.theme = dark ? "dark" : "light";
    keepWord("theme", root.dataset.theme ?? null);
    show();
  };
  systemDark.addEventListener("change", show);
  onLanguage(show);
}
