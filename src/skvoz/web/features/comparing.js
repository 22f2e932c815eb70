/** Comparing a safety number by QR codes: each shows theirs and scans the other's. */

import { call, wish } from "../core/connection.js";
import { attempt } from "../core/attempt.js";
import { ask } from "../core/dialog.js";
import { html } from "../vendor/lit.js";
import { icons } from "../core/icons.js";
import { qrPicture } from "../core/qr.js";
import { say } from "../core/texts.js";
import { scan } from "../scan/scanner.js";

/** @param {string} account_id */
export function compareByQr(account_id) {
  return attempt(async () => {
    const { code } = await call("contact.safety_number", { account_id });
    const { rows } = await call("qr.draw", { text: code });
    ask({
      title: say("Compare by QR code"),
      text: say("Both of you open this. Let them scan your code, and scan theirs."),
      body: qrPicture(rows, say("Your code for comparing")),
      answers: [{ label: say("Scan theirs"), act: () => scanTheirs(account_id) }],
      leave: say("Close"),
    });
  });
}

/** @param {string} account_id */
function scanTheirs(account_id) {
  scan(say("Scan their code"), async (text) => {
    const { outcome } = await call("contact.compare", { account_id, text });
    if (outcome === "unknown") return say("This code is not for comparing safety numbers.");
    if (outcome === "own") return say("This is your own code. Scan the one on their screen.");
    if (outcome === "same") await wish("contact.verify", { account_id, verified: true });
    ask(outcome === "same" ? same() : different(account_id));
    return "";
  });
}

function same() {
  return {
    title: say("The same"),
    body: html`<p class="row verified" role="status">${icons.verified}<span>${say("Nobody sits between you. They are marked as compared.")}</span></p>`,
    answers: [],
    leave: say("Done"),
  };
}

/** @param {string} account_id */
function different(account_id) {
  return {
    title: say("Not the same"),
    body: html`
      <p class="problem" role="alert">${say("Somebody may sit between you: write nothing that matters.")}</p>
      <p class="quiet">${say("Perhaps they only have the code for another person open. Have them open the one in their chat with you, and scan again.")}</p>
    `,
    answers: [{ label: say("Scan again"), act: () => scanTheirs(account_id) }],
    leave: say("Close"),
  };
}
