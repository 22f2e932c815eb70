/** Passing on a message's words to another chat, as words of one's own. */

import { html } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { wish } from "../core/connection.js";
import { ask, closeDialog } from "../core/dialog.js";
import { icons } from "../core/icons.js";
import { avatar, chatName } from "../core/people.js";
import { messageMenu } from "../core/places.js";
import { go } from "../core/router.js";
import { say } from "../core/texts.js";
import { sortedChats } from "../state/chats.js";

/** @typedef {import("../types/api.js").MessageView} MessageView */

messageMenu.add({
  order: 40,
  icon: icons.share,
  label: () => say("Forward"),
  applies: (message, chat) => Boolean(message.text) && !message.deleted && !chat.is_request,
  act: choose,
});

/** @param {MessageView} message */
function choose({ text }) {
  /** @param {string} chat_id */
  const pass = (chat_id) => {
    closeDialog();
    void attempt(async () => {
      await wish("message.send", { chat_id, text });
      go({ screen: "chat", id: chat_id });
    });
  };
  const open = sortedChats().filter((chat) => !chat.is_request && (chat.state === "active" || chat.state === "creating"));
  ask({
    title: say("Forward to"),
    text: say("The words go out as yours; who wrote them is not told."),
    body: html`
      <ul class="chats">
        ${open.map(
          (chat) => html`
            <li>
              <button class="chat-row" @click=${() => pass(chat.chat_id)}>
                ${avatar(chat.chat_id, chatName(chat), "small")}<span class="chat-title" dir="auto">${chatName(chat)}</span>
              </button>
            </li>
          `,
        )}
      </ul>
    `,
    answers: [],
  });
}
