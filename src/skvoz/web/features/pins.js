/** Pinned messages: the latest in a strip above the chat, from where it leads to its place, and a list of all. */

import { html, nothing } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { call, on, wish } from "../core/connection.js";
import { ask, closeDialog } from "../core/dialog.js";
import { icons } from "../core/icons.js";
import { called } from "../core/people.js";
import { chatTop, messageMenu } from "../core/places.js";
import { go } from "../core/router.js";
import { numeral, say } from "../core/texts.js";
import { chats } from "../state/chats.js";
import { plainWords } from "../chat/words.js";

/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {import("../types/api.js").PinView} PinView */

/** What is pinned in the chat that is open. @type {{ chatId: string, pins: readonly PinView[] }} */
let held = { chatId: "", pins: [] };

/** @param {string} chatId */
async function load(chatId) {
  if (held.chatId !== chatId) held = { chatId, pins: [] };
  const { pins } = await call("chat.pins", { chat_id: chatId });
  if (held.chatId !== chatId) return;
  held = { chatId, pins };
  chats.touch();
}

on("message.changed", ({ chat_id, message_id, what }) => {
  if (held.chatId !== chat_id) return;
  if (what === "pinned" || held.pins.some(({ message }) => message.message_id === message_id)) void load(chat_id);
});
on("chat.changed", ({ chat_id, what }) => {
  if (held.chatId === chat_id && (what === "deleted" || what === "accepted")) void load(chat_id);
});

/** @param {MessageView} message */
const isPinned = ({ message_id }) => held.pins.some(({ message }) => message.message_id === message_id);

/** @param {MessageView} message @param {boolean} pinned */
function pin({ message_id }, pinned) {
  return attempt(() => wish("message.pin", { message_id, pinned }));
}

/** @param {MessageView} message */
function show({ chat_id: id, sequence: at }) {
  closeDialog();
  go({ screen: "chat", id, at });
}

chatTop.add({
  order: 10,
  draw: ({ chat_id, is_request }) => {
    if (held.chatId !== chat_id) void load(chat_id);
    const latest = held.pins[0];
    if (!latest || is_request) return nothing;
    const number = held.pins.length;
    const all = say("All that is pinned");
    return html`
      <section class="strip" aria-label=${say("Pinned messages")}>
        ${icons.pin}
        <button class="grows" @click=${() => show(latest.message)}>
          <span dir="auto">${plainWords(latest.message)}</span>
        </button>
        ${number > 1 ? html`<button class="icon-button" aria-label=${all} title=${all} @click=${list}>${numeral(number)}</button>` : nothing}
      </section>
    `;
  },
});

function list() {
  ask({
    title: say("Pinned messages"),
    body: html`
      <ul class="chats">
        ${held.pins.map(
          ({ message, pinned_by_name: by }) => html`
            <li>
              <button class="chat-row" @click=${() => show(message)}>
                <span class="chat-title" dir="auto">${plainWords(message)}</span>
                <span class="chat-last" dir="auto">${say("Pinned by {name}", { name: called(by) })}</span>
              </button>
            </li>
          `,
        )}
      </ul>
    `,
    answers: [],
  });
}

messageMenu.add({
  order: 45,
  icon: icons.pin,
  label: (message) => (isPinned(message) ? say("Unpin for everybody") : say("Pin for everybody")),
  applies: ({ deleted, state }, chat) => !deleted && state !== "failed" && !chat.is_request,
  act: (message) => void pin(message, !isPinned(message)),
});
