// Asks for the server's key.
/** Resolves to what was entered, null where the dialog was left. wrong: a key was refused before. */
export function askForKey(dialog, wrong) {
  const field = dialog.querySelector("input");
  const form = dialog.querySelector("form");
  dialog.querySelector("[role=alert]").hidden = !wrong;
  field.value = "";
  dialog.showModal();
  field.focus();
  return new Promise((resolve) => {
    let entered = null;
    form.onsubmit = (event) => {
      event.preventDefault();
      entered = field.value.trim() || null;
      dialog.close();
    };
    dialog.querySelector(".leave").onclick = () => dialog.close();
    dialog.onclose = () => resolve(entered);
  });
}
