// A face that waits, and speaks when its answer is there: the idle loop lies under the answer's video, so that one
// gives way to the other without a flash. An answer begins and ends as the loop does.
import { portraitOf } from "./server.js";
import { speaking } from "./sound.js";

const stillness = window.matchMedia("(prefers-reduced-motion: reduce)");
const loops = new Map();
const TRIES = 20;
const POSTER = 384;

/** An address for the loop's bytes, loaded once a page; null where it can't be had. */
function loaded(link) {
  if (!loops.has(link)) {
    const found = load(link).catch(() => null);
    loops.set(link, found);
    found.then((address) => address ?? loops.delete(link));
  }
  return loops.get(link);
}

async function load(link) {
  for (let tries = 0; tries < TRIES; tries++) {
    const response = await fetch(link);
    if (response.status === 200) return URL.createObjectURL(await response.blob());
    if (response.status !== 202) return null;
    const wait = Number(response.headers.get("Retry-After")) || 2;
    await new Promise((wake) => setTimeout(wake, wait * 1000));
  }
  return null;
}

export class Stage {
  /** root: holds a video.idle and, where answers are shown, a video.video and a button.again. */
  constructor(root) {
    this.root = root;
    this.idle = root.querySelector(".idle");
    this.video = root.querySelector(".video");
    this.again = root.querySelector(".again");
    // A video that a template brings has the attribute alone, and may not begin by itself.
    this.idle.muted = true;
    this.live = false;
    this.onStillness = () => this.move();
    if (this.video) this.listen();
  }

  listen() {
    this.video.onplaying = () => this.reveal();
    this.video.onended = () => this.rest();
    this.video.ontransitionend = () => this.shown && this.idle.pause();
    this.again.onclick = () => {
      this.video.currentTime = 0;
      this.play();
    };
  }

  get shown() {
    return this.root.classList.contains("shown");
  }

  /** Whose face it is. */
  cast(avatar) {
    const link = `/api/v1/avatars/${encodeURIComponent(avatar)}/idle`;
    if (this.link === link) return;
    this.link = link;
    this.idle.poster = portraitOf(avatar, POSTER);
    this.idle.removeAttribute("src");
    this.move();
  }

  /** Whether this is where the viewer looks: one face moves, the others are still. */
  enliven(live) {
    if (this.live === live) return;
    this.live = live;
    if (live) stillness.addEventListener("change", this.onStillness);
    else stillness.removeEventListener("change", this.onStillness);
    if (!live && this.video?.src) this.reveal();
    this.move();
  }

  async move() {
    const link = this.link;
    if (!this.live || stillness.matches) return this.halt();
    const address = await loaded(link);
    if (!address || link !== this.link || !this.live || stillness.matches) return;
    if (this.idle.src !== address) this.idle.src = address;
    if (!this.shown) this.idle.play().catch(() => {});
  }

  /** Back to the portrait. */
  halt() {
    if (!this.idle.src) return;
    this.idle.pause();
    this.idle.removeAttribute("src");
    this.idle.load();
  }

  /** The answer is there. awaited: its viewer saw it being made, and hears it at once unless something else speaks. */
  answer(path, awaited) {
    this.video.poster = this.idle.poster;
    this.video.preload = awaited || this.live ? "auto" : "none";
    this.video.src = path;
    if (awaited && this.live && !speaking()) this.play();
    else this.reveal();
  }

  /** What the browser won't begin by itself waits for its viewer, with its controls. */
  play() {
    this.video.play().catch(() => this.reveal());
  }

  reveal() {
    this.root.classList.add("shown");
    this.again.hidden = true;
  }

  /** The answer has ended as the loop begins. */
  rest() {
    if (!this.live || stillness.matches || !this.idle.src) return;
    this.idle.currentTime = 0;
    this.idle.play().catch(() => {});
    this.again.hidden = false;
    this.root.classList.remove("shown");
  }
}
