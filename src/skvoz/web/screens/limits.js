/** The one plain page about what Skvoz can't do. */

import { html } from "../vendor/lit.js";
import { icons } from "../core/icons.js";
import { screens } from "../core/places.js";
import { back } from "../core/router.js";
import { say } from "../core/texts.js";

function limits() {
  const said = [
    [
      say("Nobody independent has audited it"),
      say("The cryptographic code is ours and young. Don't trust it with anything that matters until others have looked."),
    ],
    [
      say("A relay sees addresses and times"),
      say("Whoever runs the relay can't read a message, a name or a list of members. While it runs, it can see from which address you connect, when, and which of its logs you follow."),
    ],
    [
      say("People can prove what you wrote"),
      say("Messages are signed. Whoever received one can show others that it is yours, and nothing takes a copy away from them: deleting for everybody is a request."),
    ],
    [
      say("It does not get around blocking yet"),
      say("Which documented blocks it gets through is tried in a lab; nobody has tried it against a real censor."),
    ],
    [
      say("Who has your unlocked machine has your messages"),
      say("They are encrypted on the disk. While Skvoz runs, its memory and this page are open to whoever controls the machine."),
    ],
    [
      say("Recorded today, perhaps forged later"),
      say("Messages that somebody records stay closed to a later quantum computer. Signatures don't have that protection yet."),
    ],
  ];
  return html`
    <main class="plain">
      <article class="sheet wide">
        <button class="icon-button back" aria-label=${say("Back")} @click=${back}>${icons.back}</button>
        <h1>${say("What Skvoz can't do")}</h1>
        ${said.map(([title, text]) => html`<h2>${title}</h2><p>${text}</p>`)}
      </article>
    </main>
  `;
}

screens.set("limits", limits);
