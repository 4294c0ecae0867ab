// What is wrong with the words that the page shows. letters: a pattern of the other language's.
(letters) => {
  const shown = (each) => each.checkVisibility({ visibilityProperty: true });
  const all = (selector) => [...document.querySelectorAll(selector)];
  const nameOf = (each) =>
    [each.getAttribute("aria-label"), each.title, each.placeholder, each.innerText]
      .concat([...(each.labels ?? [])].map((label) => label.innerText))
      .concat((each.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.innerText))
      .filter(Boolean).join(" ").trim();

  const controls = all("button, textarea, input, a, audio[controls], video[controls], [role=img]").filter(shown);
  const nameless = controls.filter((each) => !nameOf(each));
  const empty = all("[data-text]").filter((each) => shown(each) && !each.textContent.trim());

  const broken = /undefined|null|NaN|\[object|=>|\{\w*\}/;
  const names = [...controls.map(nameOf), document.body.innerText].filter((text) => broken.test(text));

  const foreign = new RegExp(letters, "u");
  const own = all("[data-text], [data-label], [data-title], [data-placeholder]")
    .filter((each) => each.closest("[lang]") === document.documentElement)
    .flatMap((each) => [
      each.dataset.text && each.textContent,
      each.dataset.label && each.getAttribute("aria-label"),
      each.dataset.title && each.title,
      each.dataset.placeholder && each.placeholder,
    ])
    .filter((text) => text && foreign.test(text.replace(/\/[a-z_]+( \w+)?/g, "")));  // a command is the same in both
  return [...nameless.concat(empty).map((each) => each.outerHTML), ...names, ...own];
}
