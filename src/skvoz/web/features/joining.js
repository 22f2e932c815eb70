/** Links into groups that were opened here: what they lead to, asking to be let in, and waiting for it. */

import { html, nothing } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { call, on, wish } from "../core/connection.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { avatar } from "../core/people.js";
import { cards, screens } from "../core/places.js";
import { back, go, goInstead } from "../core/router.js";
import { Signal } from "../core/signal.js";
import { count, language, say } from "../core/texts.js";
import { failure } from "../chat/ticks.js";
import { chats } from "../state/chats.js";

/** @typedef {import("../types/api.js").JoiningView} JoiningView */

/** @type {Signal<readonly JoiningView[] | null>} null before it was asked for */
const joinings = new Signal(/** @type {readonly JoiningView[] | null} */ (null));

async function look() {
  joinings.value = (await call("group.joining", {})).joinings;
  chats.touch();
}

function watch() {
  joinings.value = [];
  on("group.joining", () => void attempt(look));
  void attempt(look);
}

/** @param {JoiningView} joining */
function standing({ state, admin_name: name, failure: reason }) {
  if (state === "opening") return say("The link is not answered yet. It goes on while your node runs.");
  if (state === "failed") return failure(reason);
  if (state === "shown") return say("You have not asked yet.");
  return say("You asked to join. {name} decides; who is declined is not told.", { name });
}

/** @param {JoiningView} joining */
const titleOf = ({ title }) => title || say("A group");

cards.add({
  order: 6,
  draw: () => {
    if (!joinings.value) queueMicrotask(watch);
    return joinings.value?.map((joining) => {
      const title = titleOf(joining);
      return html`
        <aside class="card" aria-label=${say("Joining “{name}”", { name: title })}>
          <p dir="auto"><b>${title}</b></p>
          <p class="quiet" dir="auto">${standing(joining)}</p>
          <button class="button" @click=${() => go({ screen: "joining", id: joining.log_id })}>${say("Look")}</button>
        </aside>
      `;
    });
  },
});

class JoiningScreen extends Part {
  static properties = { logId: {} };

  constructor() {
    super();
    this.logId = "";
    this.watch(joinings, language);
    this.hear("group.joining", ({ log_id, what, chat_id }) => {
      if (log_id === this.logId && what === "joined") goInstead({ screen: "chat", id: chat_id });
    });
  }

  firstUpdated() {
    if (!joinings.value) watch();
    void this.focusOn("h1");
  }

  render() {
    const joining = joinings.value?.find(({ log_id }) => log_id === this.logId);
    const title = joining ? titleOf(joining) : say("A group");
    return html`
      <main class="plain">
        <div class="sheet wide">
          <button class="icon-button back" aria-label=${say("Back")} @click=${back}>${icons.back}</button>
          <div class="about-head">${avatar(this.logId, title, "large")}<h1 tabindex="-1" dir="auto">${title}</h1></div>
          ${joining ? this.about(joining) : nothing}
        </div>
      </main>
    `;
  }

  /** @private @param {JoiningView} joining */
  about(joining) {
    const { log_id, state, members, admin_name: name } = joining;
    const cancel = () =>
      attempt(async () => {
        await wish("group.cancel", { log_id });
        goInstead({ screen: "chats" });
      });
    return html`
      ${name ? html`<p dir="auto">${count("{number} member", "{number} members", members)}. ${say("The link is {name}'s.", { name })}</p>` : nothing}
      <p class="quiet" role="status" dir="auto">
        ${state === "shown" ? say("If you ask, {name} sees your name and lets you in or doesn't. The group's other members learn of you once you are in.", { name }) : standing(joining)}
      </p>
      <div class="row">
        ${state === "shown" ? html`<button class="main-button" @click=${() => attempt(() => wish("group.ask", { log_id }))}>${say("Ask to join")}</button>` : nothing}
        <button class="button" @click=${cancel}>${state === "shown" || state === "failed" ? say("Forget it") : say("Ask no more")}</button>
      </div>
    `;
  }
}

customElements.define("skvoz-joining", JoiningScreen);
screens.set("joining", ({ id }) => html`<skvoz-joining .logId=${id ?? ""}></skvoz-joining>`);
