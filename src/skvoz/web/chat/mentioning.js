/** Naming people in a group: `@` in the writing field offers its members; who was chosen is told with the message. */

import { html, nothing } from "../vendor/lit.js";
import { call } from "../core/connection.js";
import { avatar } from "../core/people.js";
import { say } from "../core/texts.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */
/** @typedef {import("../types/api.js").MemberView} MemberView */
/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {import("../types/api.js").MentionSpan} MentionSpan */
/** @typedef {{ name: string, account_id: string }} Named */

const SHOWN_MAX = 6;
const BEGUN = /(?:^|[\s(])@([\p{L}\p{N}_.-]{0,32})$/u;

/**
 * Find who is named in a text, of those who were chosen by `@`; places are in code points, as the API counts.
 *
 * @param {string} text
 * @param {readonly Named[]} named
 * @returns {MentionSpan[]}
 */
export function mentionsIn(text, named) {
  /** @type {MentionSpan[]} */
  const found = [];
  let at = 0;
  while ((at = text.indexOf("@", at)) >= 0) {
    const rest = text.slice(at + 1);
    const best = named
      .filter(({ name }) => rest.startsWith(name))
      .sort((one, other) => other.name.length - one.name.length)[0];
    if (best) {
      const length = [...best.name].length + 1;
      found.push({ account_id: best.account_id, start: [...text.slice(0, at)].length, length });
      at += best.name.length;
    }
    at += 1;
  }
  return found;
}

/** The list of members above the writing field. */
export class MentionSuggestions {
  /** @param {import("./composer.js").Composer} composer */
  constructor(composer) {
    /** @private */
    this.composer = composer;
    /** @private @type {MemberView[]} */
    this.members = [];
    /** @private @type {MemberView[]} */
    this.shown = [];
    /** @private */
    this.at = 0;
    /** @type {Named[]} who was chosen while this text is written */
    this.named = [];
  }

  /** @param {ChatView} chat */
  async open(chat) {
    this.members = [];
    this.named = [];
    this.close();
    if (chat.kind !== "group") return;
    const { members } = await call("chat.members", { chat_id: chat.chat_id });
    if (this.composer.chat?.chat_id !== chat.chat_id) return;
    this.members = members.filter((member) => !member.own && member.name);
    // A draft may name people already.
    this.named = this.members;
  }

  /** A message is edited: who is named in it stays named. @param {MessageView} message */
  know(message) {
    const points = [...message.text];
    const there = message.mentions.map(({ account_id, start, length }) => ({
      account_id,
      name: points.slice(start + 1, start + length).join(""),
    }));
    this.named = [...this.members, ...there];
  }

  /** Look what stands before the cursor. */
  look() {
    const { field } = this.composer;
    const begun = BEGUN.exec(field.value.slice(0, field.selectionStart));
    const words = begun?.[1]?.toLocaleLowerCase();
    this.at = 0;
    this.shown =
      words === undefined
        ? []
        : this.members
            .filter(({ name }) => name.toLocaleLowerCase().split(/\s+/u).some((part) => part.startsWith(words)))
            .slice(0, SHOWN_MAX);
    this.composer.requestUpdate();
  }

  close() {
    this.shown = [];
    this.composer.requestUpdate();
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was for the list */
  key(event) {
    const { length } = this.shown;
    if (!length) return false;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.at = (this.at + (event.key === "ArrowDown" ? 1 : length - 1)) % length;
    } else if (event.key === "Enter" || event.key === "Tab") {
      this.choose(this.shown[this.at]);
    } else if (event.key === "Escape") {
      this.close();
    } else {
      return false;
    }
    event.preventDefault();
    this.composer.requestUpdate();
    return true;
  }

  /** @private @param {MemberView | undefined} member */
  choose(member) {
    if (!member) return;
    const { field } = this.composer;
    const { selectionStart: end, value } = field;
    const start = value.lastIndexOf("@", end - 1);
    field.setRangeText(`@${member.name} `, start, end, "end");
    this.close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  }

  draw() {
    if (!this.shown.length) return nothing;
    return html`
      <ul class="suggestions" role="listbox" aria-label=${say("People in this group")}>
        ${this.shown.map(
          (member, index) => html`
            <li role="option" aria-selected=${index === this.at} @pointerdown=${(/** @type {Event} */ event) => {
              event.preventDefault();
              this.choose(member);
            }}>
              ${avatar(member.account_id, member.name, "small")}<span dir="auto">${member.name}</span>
            </li>
          `,
        )}
      </ul>
    `;
  }
}
