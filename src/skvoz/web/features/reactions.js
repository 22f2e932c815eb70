/** Reactions: chips under a bubble, and some emoji at hand in a message's menu. */

import { html, nothing } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { wish } from "../core/connection.js";
import { icons } from "../core/icons.js";
import { bubbleParts, messageMenuTop } from "../core/places.js";
import { closePopup } from "../core/popup.js";
import { count, numeral, say } from "../core/texts.js";
import { account } from "../state/home.js";
import { chooseEmoji } from "./emoji.js";

/** @typedef {import("../types/api.js").MessageView} MessageView */

const AT_HAND = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

/** @param {MessageView} message @param {string} emoji */
function isOwn(message, emoji) {
  const own = account.value?.account_id ?? "";
  return message.reactions.some((one) => one.emoji === emoji && one.account_ids.includes(own));
}

/** @param {MessageView} message */
function more(message) {
  closePopup();
  const anchor = document.activeElement;
  if (anchor instanceof HTMLElement) chooseEmoji(anchor, say("Another reaction"), (emoji) => void toggle(message, emoji));
}

/** @param {MessageView} message @param {string} emoji */
function toggle(message, emoji) {
  const present = !isOwn(message, emoji);
  return attempt(() => wish("message.react", { message_id: message.message_id, emoji, present }));
}

bubbleParts.add({
  order: 50,
  draw: (message) => {
    if (!message.reactions.length) return nothing;
    return html`
      <ul class="reactions" aria-label=${say("Reactions")}>
        ${message.reactions.map(({ emoji, account_ids }) => {
          const number = account_ids.length;
          return html`
            <li>
              <button class="reaction" aria-pressed=${isOwn(message, emoji)} @click=${() => toggle(message, emoji)}>
                <span aria-hidden="true">${emoji} ${number > 1 ? numeral(number) : nothing}</span>
                <span class="only-read">${emoji}, ${count("{number} person", "{number} people", number)}</span>
              </button>
            </li>
          `;
        })}
      </ul>
    `;
  },
});

messageMenuTop.add({
  order: 10,
  draw: (message, chat) => {
    if (message.deleted || chat.is_request) return nothing;
    /** @param {string} emoji */
    const put = (emoji) => {
      closePopup();
      void toggle(message, emoji);
    };
    return html`
      <div class="at-hand" role="group" aria-label=${say("React")}>
        ${AT_HAND.map(
          (emoji) => html`
            <button role="menuitemcheckbox" tabindex="-1" aria-checked=${isOwn(message, emoji)} @click=${() => put(emoji)}>${emoji}</button>
          `,
        )}
        <button role="menuitem" tabindex="-1" aria-label=${say("Another reaction")} title=${say("Another reaction")} @click=${() => more(message)}>${icons.plus}</button>
      </div>
    `;
  },
});
