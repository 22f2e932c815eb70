/** The page's frame: which screen there is, the list of chats beside it, notes, and words for screen readers. */

import { html, nothing } from "./vendor/lit.js";
import { announced, note } from "./core/announce.js";
import { line } from "./core/connection.js";
import "./core/dialog.js";
import { Part } from "./core/part.js";
import "./core/popup.js";
import { screens } from "./core/places.js";
import { back, route } from "./core/router.js";
import { language, say } from "./core/texts.js";
import { account, reach, status } from "./state/home.js";
import { chats, unreadChats } from "./state/chats.js";
import { firstRun } from "./state/first_run.js";
import "./chat/about.js";
import "./chat/chat_list.js";
import "./chat/chat_view.js";
import "./screens/invite.js";
import "./screens/limits.js";
import "./screens/locked.js";
import "./screens/settings.js";
import "./screens/welcome.js";

/** Escape leads back from what lies beside the chats, unless something nearer has taken it. @param {KeyboardEvent} event */
function leave(event) {
  const { screen } = route.value;
  const isTaken = event.defaultPrevented || /** @type {Element} */ (event.target).closest("input, textarea, select, dialog, .menu");
  if (event.key === "Escape" && !isTaken && screen !== "chats" && screen !== "chat") back();
}

/** Nothing but spaces is nothing: the browser then says by itself that a field is empty. @param {Event} event */
function empty({ target }) {
  if (target instanceof HTMLInputElement && target.type === "text" && target.required && !target.value.trim()) target.value = "";
}

class App extends Part {
  constructor() {
    super();
    addEventListener("keydown", leave);
    addEventListener("change", empty);
    this.watch(line, status, account, route, language, chats, note, announced, reach, firstRun);
  }

  updated() {
    const unread = unreadChats();
    document.title = unread ? `(${unread}) Skvoz` : "Skvoz";
  }

  render() {
    return html`
      ${this.screen()}
      <skvoz-popup></skvoz-popup>
      <skvoz-dialog></skvoz-dialog>
      <div class="note" aria-hidden="true" ?hidden=${!note.value}><span>${note.value}</span></div>
      <div class="only-read" role="status" aria-live="polite">${note.value || announced.value}</div>
    `;
  }

  /** @private */
  screen() {
    if (line.value === "ended") return closedDoor();
    if (line.value === "locked") return html`<skvoz-locked></skvoz-locked>`;
    if (!status.value) return html`<main class="plain" aria-busy="true"></main>`;
    if (route.value.screen === "limits" && !account.value) return screens.get("limits")?.(route.value);
    if (!account.value || firstRun.value === "welcome") return html`<skvoz-welcome></skvoz-welcome>`;
    if (firstRun.value === "invite") return html`<skvoz-invite class="alone" .first=${true}></skvoz-invite>`;
    return this.shell();
  }

  /** @private */
  shell() {
    const { screen } = route.value;
    const main = screens.get(screen)?.(route.value);
    return html`
      <div class="shell" data-pane=${main ? "main" : "list"}>
        <skvoz-chat-list class="side" role=${main ? nothing : "main"}></skvoz-chat-list>
        ${main ?? html`<div class="nothing-open" aria-hidden="true"><p>${say("Choose a chat, or invite somebody.")}</p></div>`}
        ${reach.value === "node" ? html`<p class="reach" role="status">${say("Your node does not answer. Trying again…")}</p>` : nothing}
      </div>
    `;
  }
}

function closedDoor() {
  return html`
    <main class="plain">
      <div class="sheet">
        <h1>${say("This page is closed")}</h1>
        <p>${say("Only you may open it, and only from this machine: type in a terminal what you began with, as a rule the following.")}</p>
        <p><code class="command">skvoz</code></p>
        <p class="quiet">${say("It opens a fresh page each time. Nothing is lost.")}</p>
      </div>
    </main>
  `;
}

customElements.define("skvoz-app", App);
