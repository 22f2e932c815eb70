/** What can be done with a message beside answering it: copy, see who has it, delete. */

import { html, nothing } from "../vendor/lit.js";
import { attempt, copyText } from "../core/attempt.js";
import { call, wish } from "../core/connection.js";
import { ask } from "../core/dialog.js";
import { icons } from "../core/icons.js";
import { called } from "../core/people.js";
import { messageMenu } from "../core/places.js";
import { fullTime, say } from "../core/texts.js";
import { meaning } from "../chat/ticks.js";

/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {import("../types/api.js").ChatView} ChatView */

messageMenu.add({
  order: 30,
  icon: icons.copy,
  label: () => say("Copy the text"),
  applies: (message) => Boolean(message.text) && !message.deleted,
  act: (message) => copyText(message.text, say("The text is copied.")),
});

messageMenu.add({
  order: 60,
  icon: icons.info,
  label: () => say("Who has it"),
  applies: (message) => message.own && !message.deleted,
  act: (message) => attempt(() => about(message)),
});

/** @param {MessageView} message */
async function about(message) {
  const { receipts, silent, reports } = await call("message.receipts", { message_id: message.message_id });
  const many = say("In groups of more than 20 people nobody reports what arrived or was read.");
  const quiet = say("Who has told nothing may have read it: in groups a report comes with a person's next message, and some people send none.");
  ask({
    title: meaning(message.state),
    text: say("Sent {time}.", { time: fullTime(message.sent_ms) }),
    body: html`
      <ul class="people">
        ${receipts.map(({ name, delivered_ms, read_ms }) => row(name, `${read_ms ? say("read") : say("arrived")} ${fullTime(read_ms ?? delivered_ms ?? 0)}`))}
        ${reports ? silent.map(({ name }) => row(name, "")) : nothing}
      </ul>
      ${!reports ? html`<p class="quiet">${many}</p>` : silent.length ? html`<p class="quiet">${quiet}</p>` : nothing}
    `,
    answers: [],
  });
}

/** @param {string} name @param {string} told */
const row = (name, told) => html`
  <li>
    <span class="name" dir="auto">${called(name)}</span>
    ${told ? html`<span class="pill good">${told}</span>` : html`<small class="quiet">${say("told nothing")}</small>`}
  </li>
`;

messageMenu.add({
  order: 90,
  icon: icons.bin,
  label: () => say("Delete"),
  applies: () => true,
  act: (message, chat) => void remove(message, chat),
});

/** @param {MessageView} message @param {ChatView} chat */
async function remove(message, chat) {
  /** @param {boolean} for_everyone */
  const doIt = (for_everyone) => () =>
    attempt(() => wish("message.delete", { message_id: message.message_id, for_everyone }));
  const forAll = !message.deleted && (message.own || (await isAdmin(chat)));
  const here = { label: say("Delete here"), act: doIt(false), danger: true };
  ask({
    title: say("Delete this message?"),
    text: forAll
      ? say("For everybody is a request that their apps follow; whoever kept a copy has it still.")
      : say("It is deleted on this machine; others keep theirs."),
    answers: forAll ? [here, { label: say("Delete for everybody"), act: doIt(true), danger: true }] : [here],
  });
}

/** @param {ChatView} chat */
async function isAdmin(chat) {
  if (chat.kind !== "group") return false;
  const { members } = await call("chat.members", { chat_id: chat.chat_id });
  return members.some((member) => member.own && member.admin);
}
