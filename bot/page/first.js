// Runs before anything is drawn, so that the page never flashes in the wrong direction or the wrong colours.
(() => {
  const root = document.documentElement;
  const kept = (name) => {
    try {
      return localStorage.getItem(`smarttalker.${name}`);
    } catch {
      return null;
    }
  };
  const spoken = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag === "ar" || tag === "en");
  const chosen = kept("language");
  root.lang = chosen === "ar" || chosen === "en" ? chosen : (spoken ?? "ar");
  root.dir = root.lang === "ar" ? "rtl" : "ltr";
  const theme = kept("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
})();
