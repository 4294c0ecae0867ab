// The newest message stays in sight, unless the reader looks at earlier ones.
const NEAR = 80;

export class Sticking {
  /** box scrolls; content grows in it; button leads back to the end. */
  constructor(box, content, button) {
    this.box = box;
    this.button = button;
    this.stuck = true;
    box.addEventListener("scroll", () => this.look(), { passive: true });
    new ResizeObserver(() => this.settle()).observe(content);
    new ResizeObserver(() => this.settle()).observe(box);
    button.onclick = () => this.toEnd();
  }

  get distance() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight;
  }

  look() {
    this.stuck = this.distance < NEAR;
    this.button.hidden = this.stuck;
  }

  settle() {
    if (this.stuck) this.box.scrollTop = this.box.scrollHeight;
    this.button.hidden = this.stuck || this.distance < NEAR;
  }

  toEnd() {
    this.stuck = true;
    this.settle();
    this.box.focus({ preventScroll: true });
  }
}
