// The conversation on the page: turns in their order, days between them, and at the end what is still on its way.
import { TurnView } from "./turn.js";
import { dayOf, onLanguage } from "./words.js";

export class Turns {
  constructor(list, acts, nameOf) {
    this.list = list;
    this.acts = acts;
    this.nameOf = nameOf;
    this.known = new Map();
    this.unsent = new Map();
    onLanguage(() => this.again());
  }

  get empty() {
    return this.known.size + this.unsent.size === 0;
  }

  /** By their order in the conversation. */
  get views() {
    const known = [...this.known.values()].sort((one, other) => (one.turn?.seq ?? Infinity) - (other.turn?.seq ?? Infinity));
    return [...known, ...this.unsent.values()];
  }

  clear() {
    for (const view of this.views) view.leave();
    this.known.clear();
    this.unsent.clear();
    this.list.replaceChildren();
  }

  has(turn) {
    return this.known.has(turn);
  }

  show(turn) {
    const view = this.known.get(turn.turn_id) ?? new TurnView(this.acts, this.nameOf);
    this.known.set(turn.turn_id, view);
    view.show(turn);
    this.arrange();
  }

  /** A message on its way. */
  await(item) {
    const view = this.unsent.get(item) ?? new TurnView(this.acts, this.nameOf);
    this.unsent.set(item, view);
    view.unsent(item);
    this.arrange();
  }

  /** The server has it; its view becomes the turn's. */
  accept(item, turn) {
    const view = this.unsent.get(item);
    if (!view || this.known.has(turn)) return this.forget(item);
    this.unsent.delete(item);
    view.waited = true;
    view.root.dataset.turn = turn;
    this.known.set(turn, view);
  }

  forget(item) {
    this.unsent.get(item)?.leave();
    this.unsent.delete(item);
    this.arrange();
  }

  again() {
    for (const view of this.views) view.again();
    this.arrange();
  }

  /** Moves only what stands elsewhere: a video that is moved stops. */
  arrange() {
    const nodes = [];
    let day = null;
    for (const view of this.views) {
      const its = dayOf(view.at);
      if (its !== day) nodes.push(this.separator(its));
      day = its;
      nodes.push(view.root);
    }
    const kept = new Set(nodes);
    for (const node of [...this.list.children]) if (!kept.has(node)) node.remove();
    nodes.forEach((node, place) => this.list.children[place] !== node && this.list.insertBefore(node, this.list.children[place] ?? null));
    this.enliven();
  }

  separator(day) {
    const known = [...this.list.querySelectorAll(".day")].find((line) => line.textContent === day);
    return known ?? Object.assign(document.createElement("p"), { className: "day", textContent: day });
  }

  /** One face moves: the newest turn's. */
  enliven() {
    const newest = this.views.filter((view) => view.turn).at(-1);
    for (const view of this.known.values()) view.stage.enliven(view === newest);
  }
}
