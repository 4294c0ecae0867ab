// Audio files that are attached or dropped: looked at before they are sent.
export const MOST_BYTES = 16 * 1024 * 1024;
const MOST_S = 5 * 60;
const LOOK_MS = 2000;
const NAMES = /\.(ogg|oga|opus|mp3|m4a|mp4|aac|wav|webm|flac|amr|3gp)$/i;
const KINDS = /^(audio\/|video\/(webm|mp4|ogg|3gpp)|application\/ogg)/;

/** reason: a name among words().file. */
export class BadFile extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/** The seconds of a file that may be sent, null where the browser can't tell. Throws BadFile. */
export async function checked(file) {
  if (!(file.type ? KINDS.test(file.type) : NAMES.test(file.name))) throw new BadFile("kind");
  if (file.size === 0) throw new BadFile("empty");
  if (file.size > MOST_BYTES) throw new BadFile("large");
  const seconds = await secondsOf(file);
  if (seconds > MOST_S + 1) throw new BadFile("long");
  return seconds;
}

async function secondsOf(file) {
  const address = URL.createObjectURL(file);
  const sound = new Audio();
  const told = new Promise((resolve) => {
    sound.onloadedmetadata = () => resolve(Number.isFinite(sound.duration) ? sound.duration : null);
    sound.onerror = () => resolve(null);
    setTimeout(resolve, LOOK_MS, null);
  });
  sound.preload = "metadata";
  sound.src = address;
  const seconds = await told;
  URL.revokeObjectURL(address);
  return seconds;
}

/** Files that are dropped anywhere on the page; curtain shows where. */
export function onDrop(curtain, take) {
  let depth = 0;
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const show = (by) => {
    depth = by === 0 ? 0 : Math.max(0, depth + by);
    curtain.hidden = depth === 0;
  };
  addEventListener("dragenter", (event) => hasFiles(event) && show(1));
  addEventListener("dragleave", (event) => hasFiles(event) && show(-1));
  addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    show(0);
    take([...event.dataTransfer.files]);
  });
}
