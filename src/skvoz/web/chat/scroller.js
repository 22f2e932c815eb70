/**
 * Keeps the reader's place in a chat: at the end while new messages come, at the same message while pages are
 * put before or taken away, and at a message that one jumps to.
 */

const END_SLACK = 48;
/** How far from an edge the next page is asked for, in pixels. */
const AHEAD = 900;

export class Scroller {
  /**
   * @param {HTMLElement} host holds an element `.scroll` once it is drawn
   * @param {{ older: () => Promise<boolean> | undefined, later: () => Promise<boolean> | undefined, atEnd: () => void }} wanted
   */
  constructor(host, wanted) {
    /** @private */
    this.host = host;
    /** @private */
    this.wanted = wanted;
    this.isAtEnd = true;
    /** @private @type {string} where to go after the next drawing: an id, `end`, or nothing */
    this.target = "";
    /** @private @type {{ id: string, top: number } | null} */
    this.anchor = null;
    this.scrolled = () => this.look();
    /** @private What is written below grows: the latest message stays in sight. */
    this.room = new ResizeObserver(() => {
      const { box } = this;
      if (box && this.isAtEnd) box.scrollTop = box.scrollHeight;
    });
  }

  /** @private @returns {HTMLElement | null} */
  get box() {
    return this.host.querySelector(".scroll");
  }

  /**
   * Go somewhere once it is drawn: an element's id, or `end`; `unread` falls back to the end.
   *
   * @param {string} target
   */
  begin(target) {
    this.target = target;
    this.anchor = null;
  }

  /** Remember what is at the top, since what is above it may change. */
  beforeDrawing() {
    const { box } = this;
    this.anchor = null;
    if (!box || this.target || this.isAtEnd) return;
    const top = box.getBoundingClientRect().top;
    for (const line of box.querySelectorAll("li[id]")) {
      const place = line.getBoundingClientRect();
      if (place.bottom > top) {
        this.anchor = { id: line.id, top: place.top };
        return;
      }
    }
  }

  /** Put the reader back where they were, or where they want to be. */
  afterDrawing() {
    const { box } = this;
    if (!box) return;
    this.room.observe(box);
    if (this.target && box.querySelector("li")) this.arrive(box);
    else if (this.anchor) {
      const line = document.getElementById(this.anchor.id);
      if (line) box.scrollTop += line.getBoundingClientRect().top - this.anchor.top;
    } else if (this.isAtEnd) box.scrollTop = box.scrollHeight;
    this.look();
  }

  /** @private @param {HTMLElement} box */
  arrive(box) {
    const line = document.getElementById(this.target);
    if (line && box.contains(line)) {
      line.scrollIntoView({ block: "center" });
      if (this.target !== "unread") flash(line);
    } else {
      box.scrollTop = box.scrollHeight;
    }
    this.target = "";
  }

  /** @private */
  look() {
    const { box } = this;
    if (!box) return;
    const below = box.scrollHeight - box.scrollTop - box.clientHeight;
    this.isAtEnd = below < END_SLACK;
    const button = this.host.querySelector(".to-end");
    if (button instanceof HTMLElement) button.hidden = below < box.clientHeight / 2;
    if (this.target) return;
    if (box.scrollTop < AHEAD) void this.wanted.older();
    if (below < AHEAD) void this.wanted.later();
    if (this.isAtEnd) this.wanted.atEnd();
  }
}

/** @param {HTMLElement} line */
function flash(line) {
  line.classList.remove("flash");
  requestAnimationFrame(() => line.classList.add("flash"));
}
