/** A stranger's request: nothing is told to them until one accepts. */

import { html, nothing } from "../vendor/lit.js";
import { tell } from "../core/announce.js";
import { wish } from "../core/connection.js";
import { chatName } from "../core/people.js";
import { goInstead } from "../core/router.js";
import { explain, say } from "../core/texts.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */

/** @param {ChatView} chat */
export function requestCard(chat) {
  const name = chatName(chat);
  const isGroup = chat.kind === "group";
  const asks = isGroup
    ? say("You were invited to “{name}”. Nobody there learns anything of you until you accept.", { name })
    : say("{name} wants to write to you. They learn nothing of you until you accept.", { name });
  return html`
    <section class="request" aria-label=${say("Request")}>
      <p dir="auto">${asks}</p>
      <div class="row">
        <button class="main-button" @click=${() => act(() => wish("chat.accept", { chat_id: chat.chat_id }))}>${say("Accept")}</button>
        <button class="button" @click=${() => act(() => leave(wish("chat.decline", { chat_id: chat.chat_id })))}>${say("Decline")}</button>
        ${isGroup
          ? nothing
          : html`<button class="button danger" @click=${() => act(() => leave(block(chat)))}>${say("Block")}</button>`}
      </div>
      ${isGroup ? nothing : html`<p class="quiet">${say("There is nobody here to report a stranger to. Blocking keeps them away from you, and they are not told.")}</p>`}
    </section>
  `;
}

/** @param {ChatView} chat */
async function block(chat) {
  await wish("contact.block", { account_id: chat.chat_id });
  await wish("chat.decline", { chat_id: chat.chat_id });
}

/** @param {Promise<unknown>} done */
async function leave(done) {
  await done;
  goInstead({ screen: "chats" });
}

/** @param {() => Promise<unknown>} what */
async function act(what) {
  try {
    await what();
  } catch (error) {
    tell(explain(error));
  }
}
