/** A person's own order: chats on top, kept quiet, or out of the list; and a chat's messages deleted here. */

import { html } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { wish } from "../core/connection.js";
import { ask } from "../core/dialog.js";
import { chatMenu, chatSections } from "../core/places.js";
import { goInstead } from "../core/router.js";
import { say } from "../core/texts.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */

/** @param {ChatView} chat */
const pin = (chat) => attempt(() => wish("chat.pin", { chat_id: chat.chat_id, pinned: !chat.pinned }));
/** @param {ChatView} chat */
const mute = (chat) => attempt(() => wish("chat.mute", { chat_id: chat.chat_id, muted: !chat.muted }));
/** @param {ChatView} chat */
const archive = (chat) => attempt(() => wish("chat.archive", { chat_id: chat.chat_id, archived: !chat.archived }));

const everywhere = { applies: () => true };
chatMenu.add({ order: 20, ...everywhere, label: (chat) => (chat.pinned ? say("Unpin") : say("Pin to the top")), act: pin });
chatMenu.add({ order: 30, ...everywhere, label: (chat) => (chat.muted ? say("Let it be heard") : say("Mute")), act: mute });
chatMenu.add({
  order: 40,
  ...everywhere,
  label: (chat) => (chat.archived ? say("Out of the archive") : say("Archive")),
  act: archive,
});

/** @param {string} label @param {boolean} checked @param {() => void} change */
function switched(label, checked, change) {
  return html`
    <label class="switch"><input type="checkbox" .checked=${checked} @change=${change}><span>${label}</span></label>
  `;
}

chatSections.add({
  order: 20,
  draw: (chat) => html`
    <section class="settings" aria-labelledby="shelf">
      <h2 id="shelf">${say("In your list")}</h2>
      <div>
        ${switched(say("On top"), chat.pinned, () => pin(chat))}
        ${switched(say("Quiet: no notifications"), chat.muted, () => mute(chat))}
        ${switched(say("In the archive"), chat.archived, () => archive(chat))}
      </div>
    </section>
  `,
});

/** @param {ChatView} chat */
function forget(chat) {
  ask({
    title: say("Delete this chat here?"),
    text: say("Its messages are deleted on this machine; others keep theirs."),
    answers: [
      {
        label: say("Delete"),
        danger: true,
        act: () =>
          attempt(async () => {
            await wish("chat.delete", { chat_id: chat.chat_id });
            goInstead({ screen: "chats" });
          }),
      },
    ],
  });
}

const OVER = ["left", "removed"];
chatSections.add({
  order: 95,
  draw: (chat) =>
    chat.kind === "direct" || OVER.includes(chat.state)
      ? html`<section class="settings"><button class="button danger" @click=${() => forget(chat)}>${say("Delete this chat here")}</button></section>`
      : "",
});
