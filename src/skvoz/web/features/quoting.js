/** Answers: what is answered stands above the writing field, and in the bubble, from where it leads there. */

import { html, nothing } from "../vendor/lit.js";
import { icons } from "../core/icons.js";
import { bubbleTop, composerTop, messageMenu } from "../core/places.js";
import { go } from "../core/router.js";
import { say } from "../core/texts.js";
import { answerNothing, answering, editMessage, replyTo } from "../state/answering.js";
import { isWords, plainWords } from "../chat/words.js";

/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {import("../types/api.js").QuotedView} QuotedView */

/** @param {QuotedView} quoted */
function quotation(quoted) {
  return html`
    <span class="quoted-author" dir="auto">${quoted.own ? say("You") : quoted.author_name}</span>
    <span class="quoted-words" dir="auto">${plainWords(quoted)}</span>
  `;
}

bubbleTop.add({
  order: 10,
  draw: (message) => {
    const { quoted, reply_to: id } = message;
    if (!id) return nothing;
    if (!quoted) return html`<p class="quoted gone">${say("A message that is not here")}</p>`;
    return html`
      <button class="quoted" @click=${() => go({ screen: "chat", id: message.chat_id, at: quoted.sequence })}>
        <span class="only-read">${say("In answer to:")}</span>${quotation(quoted)}
      </button>
    `;
  },
});

composerTop.add({
  order: 10,
  draw: (chat) => {
    const about = answering.value;
    if (about?.chatId !== chat.chat_id) return nothing;
    return html`
      <div class="answering">
        <div class="quoted">
          ${about.kind === "reply"
            ? quotation(about.quoted)
            : html`<span class="quoted-author">${say("Editing")}</span><span class="quoted-words" dir="auto">${plainWords(about.message)}</span>`}
        </div>
        <button class="icon-button" aria-label=${say("Don't answer")} title=${say("Don't answer")} @click=${answerNothing}>${icons.close}</button>
      </div>
    `;
  },
});

messageMenu.add({
  order: 10,
  icon: icons.reply,
  label: () => say("Answer"),
  applies: (message, chat) => !message.deleted && !chat.is_request,
  act: replyTo,
});

messageMenu.add({
  order: 20,
  icon: icons.edit,
  label: () => say("Edit"),
  applies: (message) => message.own && isWords(message) && message.state !== "failed",
  act: editMessage,
});
