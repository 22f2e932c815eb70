/** Telling the admins of a group about a message in it: end-to-end encrypted, to those of them who are contacts. */

import { html } from "../vendor/lit.js";
import { tell } from "../core/announce.js";
import { attempt } from "../core/attempt.js";
import { call, wish } from "../core/connection.js";
import { ask } from "../core/dialog.js";
import { icons } from "../core/icons.js";
import { called } from "../core/people.js";
import { messageMenu } from "../core/places.js";
import { say } from "../core/texts.js";

/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {import("../types/api.js").Methods["message.report"]["params"]["reason"]} Reason */

/** @param {string} reason */
export function reasonWord(reason) {
  /** @type {Record<string, string>} */
  const known = {
    spam: say("advertising or spam"),
    insult: say("insults or harassment"),
    danger: say("threats or danger"),
  };
  return known[reason] ?? say("something else");
}

messageMenu.add({
  order: 80,
  icon: icons.warning,
  label: () => say("Report to the admins"),
  applies: (message, chat) => chat.kind === "group" && chat.state === "active" && !message.own && !message.deleted,
  act: (message) => attempt(() => report(message)),
});

/** @param {MessageView} message */
async function report({ message_id, chat_id, author }) {
  const { members } = await call("chat.members", { chat_id });
  const told = members.filter(({ admin, state, account_id }) => admin && state === "accepted" && account_id !== author);
  const names = told.map(({ name }) => called(name)).join(", ");
  /** @type {{ reason: Reason, note: string }} */
  const chosen = { reason: "spam", note: "" };
  /** @param {Reason} reason */
  const choice = (reason) => html`
    <label class="switch">
      <input type="radio" name="reason" ?checked=${reason === chosen.reason} @change=${() => (chosen.reason = reason)}>
      ${reasonWord(reason)}
    </label>
  `;
  /** @param {Event} event */
  const noted = (event) => (chosen.note = /** @type {HTMLTextAreaElement} */ (event.target).value);
  const send = () =>
    attempt(async () => {
      await wish("message.report", { message_id, ...chosen });
      tell(say("It goes to {names}, and to nobody else.", { names }));
    });
  ask({
    title: say("Report to the admins"),
    text: told.length
      ? say("The message and your name go, end-to-end encrypted, to {names}. Nobody else in the group learns of it.", { names })
      : say("No admin of this group who could be told is a contact of yours."),
    body: told.length
      ? html`
          <fieldset><legend>${say("What is wrong with it")}</legend>${/** @type {Reason[]} */ (["spam", "insult", "danger", "other"]).map(choice)}</fieldset>
          <label class="field"><span>${say("What else they should know")}</span><textarea rows="2" maxlength="500" dir="auto" @input=${noted}></textarea></label>
        `
      : undefined,
    answers: told.length ? [{ label: say("Report"), act: send }] : [],
  });
}
