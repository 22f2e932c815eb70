/** Passing on a message to another chat: its words and files, marked as somebody else's, and not whose. */

import { html, nothing } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { wish } from "../core/connection.js";
import { ask, closeDialog } from "../core/dialog.js";
import { icons } from "../core/icons.js";
import { avatar, chatName } from "../core/people.js";
import { bubbleTop, messageMenu } from "../core/places.js";
import { go } from "../core/router.js";
import { say } from "../core/texts.js";
import { sortedChats } from "../state/chats.js";
import { handOver } from "../attachments/hand_over.js";
import { addressOf, isHere } from "../attachments/moving.js";

/** @typedef {import("../types/api.js").FileToSend} FileToSend */
/** @typedef {import("../types/api.js").FileView} FileView */
/** @typedef {import("../types/api.js").MessageView} MessageView */

bubbleTop.add({
  order: 5,
  draw: ({ forwarded }) => (forwarded ? html`<p class="forwarded">${icons.share}${say("Forwarded")}</p>` : nothing),
});

messageMenu.add({
  order: 40,
  icon: icons.share,
  label: () => say("Forward"),
  applies: ({ text, files, poll, deleted }, chat) => !poll && Boolean(text || files.length) && files.every(isHere) && !deleted && !chat.is_request,
  act: choose,
});

/** @param {MessageView} message */
function choose({ text, files, location }) {
  /** @param {string} chat_id */
  const pass = (chat_id) => {
    closeDialog();
    void attempt(async () => {
      if (location) await wish("location.send", { chat_id, ...location, forwarded: true });
      else await wish("message.send", { chat_id, text, files: await Promise.all(files.map(again)), forwarded: true });
      go({ screen: "chat", id: chat_id });
    });
  };
  const open = sortedChats().filter((chat) => !chat.is_request && (chat.state === "active" || chat.state === "creating"));
  ask({
    title: say("Forward to"),
    text: say("It is marked as forwarded; who wrote it is not told."),
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

/** Seal a file anew: others get it under a key of its own. @param {FileView} file @returns {Promise<FileToSend>} */
async function again(file) {
  const { description, thumbnail, thumbnail_type, width, height, duration_ms, waveform } = file;
  const content = await (await fetch(await addressOf(file.file_id))).blob();
  const file_id = await handOver(content, file.name, file.media_type, () => {}).done;
  return { file_id, description, thumbnail, thumbnail_type, width, height, duration_ms, waveform };
}
