/** After what time the new messages of a chat disappear: set in a direct chat by both, in a group by its admins. */

import { html, nothing } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { wish } from "../core/connection.js";
import { chatSections } from "../core/places.js";
import { duration, say } from "../core/texts.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @param {ChatView} chat */
export function expiry(chat) {
  const usual = [5 * MINUTE, HOUR, 8 * HOUR, DAY, 7 * DAY, 28 * DAY];
  const present = chat.expiry_s ?? 0;
  const offered = usual.includes(present) || !present ? usual : [...usual, present].sort((one, other) => one - other);
  /** @param {Event} event */
  const set = (event) => {
    const select = /** @type {HTMLSelectElement} */ (event.target);
    void attempt(async () => {
      try {
        await wish("chat.set_expiry", { chat_id: chat.chat_id, expiry_s: Number(select.value) || null });
      } catch (error) {
        select.value = String(present);
        throw error;
      }
    });
  };
  return html`
    <label class="field">
      <span>${say("New messages disappear")}</span>
      <select @change=${set}>
        <option value="0" ?selected=${!present}>${say("Never")}</option>
        ${offered.map((seconds) => html`<option value=${seconds} ?selected=${seconds === present}>${say("After {time}", { time: duration(seconds) })}</option>`)}
      </select>
      <small>${say("From every device that keeps to this; nobody can be forced to.")}</small>
    </label>
  `;
}

/** @param {ChatView} chat */
export function expiryTold({ expiry_s: seconds }) {
  return seconds
    ? html`<p class="quiet">${say("New messages disappear after {time}. The admins of the group decide on that.", { time: duration(seconds) })}</p>`
    : nothing;
}

chatSections.add({
  order: 25,
  draw: (chat) =>
    chat.kind === "direct" && chat.state === "active" && !chat.is_request
      ? html`<section class="settings">${expiry(chat)}</section>`
      : nothing,
});
