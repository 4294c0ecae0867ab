// A sound with a button, a slider and its time.
import { clock, words } from "./words.js";

const STEPS = 1000;
const OPUS = new Audio().canPlayType('audio/ogg; codecs="opus"') !== "";

/** Whether this browser plays the file; Safari before 18.4 knows no Ogg. */
export const hears = (path) => OPUS || !/\.ogg($|\?)/.test(path);

export class Player {
  /** slot: where it stands. name: the class of its audio element. */
  constructor(slot, name) {
    this.root = document.getElementById("player").content.firstElementChild.cloneNode(true);
    this.audio = this.root.querySelector("audio");
    this.audio.className = name;
    this.toggle = this.root.querySelector(".toggle");
    this.seek = this.root.querySelector(".seek");
    this.seconds = null;
    slot.replaceChildren(this.root);
    this.listen();
  }

  listen() {
    this.toggle.onclick = () => (this.audio.paused ? this.audio.play().catch(() => {}) : this.audio.pause());
    this.seek.oninput = () => this.move();
    for (const event of ["play", "pause", "ended", "timeupdate", "loadedmetadata", "durationchange"]) {
      this.audio.addEventListener(event, () => this.show());
    }
  }

  /** seconds: how long it is, where that is known; recordings of a browser's don't tell. */
  load(address, seconds = null) {
    this.seconds = seconds;
    this.audio.src = address;
    this.show();
  }

  get duration() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : this.seconds;
  }

  move() {
    if (this.duration) this.audio.currentTime = (this.seek.value / STEPS) * this.duration;
  }

  /** label: what it is, for those who don't see where it stands. */
  show(label = this.label) {
    this.label = label;
    const { paused, currentTime } = this.audio;
    this.toggle.querySelector("use").setAttribute("href", paused ? "#i-play" : "#i-pause");
    this.toggle.setAttribute("aria-label", `${paused ? words().play : words().pause}: ${label}`);
    this.seek.setAttribute("aria-label", `${words().seek}: ${label}`);
    this.seek.value = this.duration ? Math.round((currentTime / this.duration) * STEPS) : 0;
    this.seek.style.setProperty("--done", `${(this.seek.value / STEPS) * 100}%`);
    this.seek.setAttribute("aria-valuetext", clock(currentTime));
    this.root.querySelector(".time").textContent = clock(paused && !currentTime ? (this.duration ?? 0) : currentTime);
  }
}
