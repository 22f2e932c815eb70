/** Polls: asked on a screen of their own, answered in the bubble. Everybody in the chat sees who chose what. */

import { html, nothing } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { call, wish } from "../core/connection.js";
import { ask } from "../core/dialog.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { called } from "../core/people.js";
import { bubbleInstead, chatMenu, messageMenu, screens } from "../core/places.js";
import { back, go, goInstead } from "../core/router.js";
import { count, explain, language, numeral, say } from "../core/texts.js";
import { marked } from "../chat/words.js";
import { account } from "../state/home.js";
import { soughtIn } from "../state/sought.js";

/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {import("../types/api.js").PollView} PollView */

const QUESTION_MAX = 300;

/** @param {PollView} poll @returns {number[]} what the person here chose */
function ownChoices({ options }) {
  const own = account.value?.account_id ?? "";
  return options.flatMap(({ account_ids }, number) => (account_ids.includes(own) ? [number] : []));
}

/** @param {MessageView} message @param {PollView} poll @param {number} number */
function choose({ message_id }, poll, number) {
  const before = ownChoices(poll);
  const isTaken = before.includes(number);
  const others = poll.several ? before.filter((one) => one !== number) : [];
  return attempt(() => wish("poll.vote", { message_id, choices: isTaken ? others : [...others, number] }));
}

bubbleInstead.add({
  order: 20,
  draw: (message, chat) => {
    const { poll } = message;
    if (!poll) return null;
    const own = ownChoices(poll);
    const { question, several, voters, closed } = poll;
    const how = closed ? say("The poll is closed") : several ? say("Several answers may be chosen") : "";
    /** @param {string} part */
    const shown = (part) => marked(part, 0, part.length, soughtIn(message.chat_id, part, message.text));
    const isOver = closed || !["active", "creating"].includes(chat.state);
    return html`
      <div class="poll" role="group" aria-label=${say("Poll")}>
        <p dir="auto"><b>${shown(question)}</b></p>
        ${how ? html`<p class="quiet">${how}</p>` : nothing}
        <ul>
          ${poll.options.map(({ text, account_ids }, number) => {
            const chosen = account_ids.length;
            return html`
              <li>
                <button class="option" aria-pressed=${own.includes(number)} ?disabled=${isOver} @click=${() => choose(message, poll, number)}>
                  <span class="mark" aria-hidden="true">${own.includes(number) ? icons.check : nothing}</span>
                  <span class="grows" dir="auto">${shown(text)}</span>
                  <span aria-hidden="true">${numeral(chosen)}</span>
                  <span class="only-read">${count("{number} person", "{number} people", chosen)}</span>
                  <progress aria-hidden="true" max=${voters || 1} value=${chosen}></progress>
                </button>
              </li>
            `;
          })}
        </ul>
        ${voters ? html`<button class="link-button" @click=${() => attempt(() => who(message))}>${say("Who chose what")}</button>` : nothing}
      </div>
    `;
  },
});

/** @param {MessageView} message */
async function who({ message_id, poll }) {
  const { options } = await call("poll.votes", { message_id });
  ask({
    title: poll?.question ?? "",
    body: html`
      <dl class="facts">
        ${options.map(
          ({ text, names }) => html`
            <div>
              <dt dir="auto"><b>${text}</b></dt>
              <dd dir="auto">${names.map((name) => called(name)).join(", ") || "–"}</dd>
            </div>
          `,
        )}
      </dl>
    `,
    answers: [],
  });
}

messageMenu.add({
  order: 25,
  icon: icons.check,
  label: () => say("Close the poll"),
  applies: ({ own, poll, deleted }) => own && !deleted && poll !== null && !poll.closed,
  act: ({ message_id }) => void attempt(() => wish("poll.close", { message_id })),
});

class NewPoll extends Part {
  static properties = { chatId: {}, problem: { state: true }, busy: { state: true } };

  constructor() {
    super();
    this.chatId = "";
    this.problem = "";
    this.busy = false;
    this.watch(language);
  }

  firstUpdated() {
    void this.focusOn("input[name=question]");
  }

  render() {
    return html`
      <main class="plain">
        <form class="sheet wide" @submit=${this.ask}>
          <button type="button" class="icon-button back" aria-label=${say("Back")} @click=${back}>${icons.back}</button>
          <h1>${say("New poll")}</h1>
          <p class="quiet">${say("Everybody in the chat sees who chose what.")}</p>
          <label class="field">
            <span>${say("Question")}</span>
            <input name="question" required maxlength=${QUESTION_MAX} dir="auto" autocomplete="off">
          </label>
          <label class="field">
            <span>${say("Answers, each on a line of its own")}</span>
            <textarea name="options" rows="4" required dir="auto"></textarea>
          </label>
          <label class="switch"><input type="checkbox" name="several"><span>${say("Several answers may be chosen")}</span></label>
          ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
          <button class="main-button" ?disabled=${this.busy}>${say("Ask")}</button>
        </form>
      </main>
    `;
  }

  /** @private @param {SubmitEvent} event */
  async ask(event) {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const options = String(data.get("options")).split("\n").map((one) => one.trim()).filter(Boolean);
    this.busy = true;
    this.problem = "";
    try {
      await wish("poll.create", { chat_id: this.chatId, question: String(data.get("question")), options, several: data.has("several") });
      goInstead({ screen: "chat", id: this.chatId });
    } catch (error) {
      this.problem = explain(error);
    } finally {
      this.busy = false;
    }
  }
}

customElements.define("skvoz-new-poll", NewPoll);
screens.set("chat-poll", ({ id }) => html`<skvoz-new-poll .chatId=${id ?? ""}></skvoz-new-poll>`);
chatMenu.add({
  order: 15,
  applies: (chat) => !chat.is_request && ["active", "creating"].includes(chat.state),
  label: () => say("New poll"),
  act: (chat) => go({ screen: "chat-poll", id: chat.chat_id }),
});
