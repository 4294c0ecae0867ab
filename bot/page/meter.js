// The loudness of the last seconds, as bars that come in at the end of the line.
const BAR = 3;
const GAP = 2;
const EVERY_MS = 60;

export class Meter {
  constructor(canvas) {
    this.canvas = canvas;
    this.levels = [];
  }

  /** level: () → 0 … 1. */
  start(level) {
    this.levels = [];
    this.timer = setInterval(() => {
      this.levels.push(level());
      this.draw();
    }, EVERY_MS);
  }

  stop() {
    clearInterval(this.timer);
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const dense = devicePixelRatio || 1;
    this.canvas.width = width * dense;
    this.canvas.height = height * dense;
    const pen = this.canvas.getContext("2d");
    pen.scale(dense, dense);
    pen.fillStyle = getComputedStyle(this.canvas).color;
    const most = Math.floor(width / (BAR + GAP));
    this.levels = this.levels.slice(-most);
    const rightToLeft = document.documentElement.dir === "rtl";
    this.levels.forEach((level, place) => {
      const from = (most - this.levels.length + place) * (BAR + GAP);
      const tall = Math.max(2, level * height);
      pen.fillRect(rightToLeft ? width - from - BAR : from, (height - tall) / 2, BAR, tall);
    });
  }
}
