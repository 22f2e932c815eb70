/** How far a message of one's own has come, and what exactly that means. */

import { html } from "../vendor/lit.js";
import { icons } from "../core/icons.js";
import { say } from "../core/texts.js";

/** @typedef {import("../types/api.js").MessageView} MessageView */

/** @param {MessageView["state"]} state */
export function meaning(state) {
  switch (state) {
    case "queued":
      return say("Waits on this machine");
    case "sent":
      return say("The relay has stored it");
    case "delivered":
      return say("It has arrived");
    case "read":
      return say("It was read");
    case "failed":
      return say("It was not sent");
    default:
      return "";
  }
}

/** @param {Pick<MessageView, "state">} message */
export function tick({ state }) {
  const drawing = {
    queued: icons.waiting,
    sent: icons.sent,
    delivered: icons.delivered,
    read: icons.delivered,
    failed: icons.warning,
    received: "",
  }[state];
  return html`<span class="tick ${state}" role="img" aria-label=${meaning(state)} title=${meaning(state)}>${drawing}</span>`;
}

/** @param {string} reason */
export function failure(reason) {
  /** @type {Record<string, string>} */
  const known = {
    left: say("you are not in this chat any more"),
    too_big: say("the relay finds it too big"),
    bad: say("the relay refused it"),
    file_damaged: say("a file of it is damaged here"),
    relay_refused: say("the relay makes no room for it"),
    not_delivered: say("an invitation could not be delivered"),
    not_reachable: say("somebody could not be reached, and was not added"),
    bad_package: say("what somebody laid down for invitations is not usable"),
    not_allowed: say("your role in the group does not permit it any more"),
    used: say("the link was used already: somebody else may have seen it"),
    invalid: say("what is behind the link is not what it promises"),
    expired: say("what is behind the link has expired"),
    denied: say("the link leads nowhere"),
  };
  return known[reason] ?? reason;
}
