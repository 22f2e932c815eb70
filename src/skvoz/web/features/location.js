/** Places: coordinates or a map's link in the writing field are offered as a location; nothing is fetched from any map. */

import { html, nothing } from "../vendor/lit.js";
import { attempt, copyText } from "../core/attempt.js";
import { call, wish } from "../core/connection.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { bubbleInstead, composerTop } from "../core/places.js";
import { Signal } from "../core/signal.js";
import { say } from "../core/texts.js";
import { answering } from "../state/answering.js";
import { soughtIn } from "../state/sought.js";
import { keepDraft } from "../chat/draft.js";
import { coordinates, marked } from "../chat/words.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */
/** @typedef {import("../types/api.js").LocationView} LocationView */
/** @typedef {import("../chat/composer.js").Composer} Composer */
/** @typedef {{ chatId: string, text: string, location: LocationView }} Offer */

/** What is written in the field of a chat is this place. @type {Signal<Offer | null>} */
const offer = new Signal(/** @type {Offer | null} */ (null));
const LOOKS_LIKE = /^\s*(?:geo:|https?:|[(NS]?\s*[-+]?\d{1,3}[.,]\d)/iu;
const LENGTH_MAX = 2000;
const LABEL_MAX = 256;

document.addEventListener("input", ({ target }) => {
  const field = target instanceof HTMLTextAreaElement ? target : null;
  const composer = /** @type {Composer | null} */ (field?.closest("skvoz-composer") ?? null);
  if (field && composer?.chat) void look(composer.chat, field);
});

/** @param {ChatView} chat @param {HTMLTextAreaElement} field */
async function look({ chat_id }, field) {
  const text = field.value;
  offer.value = null;
  if (text.length > LENGTH_MAX || !LOOKS_LIKE.test(text) || answering.value?.kind === "edit") return;
  const { location } = await call("location.parse", { text });
  // What was typed meanwhile is what counts.
  if (location && field.isConnected && field.value === text) offer.value = { chatId: chat_id, text, location };
}

class LocationOffer extends Part {
  static properties = { chat: { attribute: false } };

  constructor() {
    super();
    /** @type {ChatView | null} */
    this.chat = null;
    this.watch(offer);
  }

  /** @private @returns {Composer} */
  get composer() {
    return /** @type {Composer} */ (this.closest("skvoz-composer"));
  }

  render() {
    const { value } = offer;
    if (!value || value.chatId !== this.chat?.chat_id || this.composer.field?.value !== value.text) return nothing;
    return html`
      <form class="offer" @submit=${this.send}>
        ${icons.place}
        <label class="grows">
          <input name="label" aria-label=${say("What is there")} maxlength=${LABEL_MAX} dir="auto" autocomplete="off" .value=${value.location.label} placeholder=${say("What is there")}>
        </label>
        <button class="button">${say("Send as a location")}</button>
      </form>
    `;
  }

  /** @private @param {SubmitEvent} event */
  async send(event) {
    event.preventDefault();
    const { value } = offer;
    const { chat, composer } = this;
    if (!value || !chat) return;
    const label = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("label")).trim();
    const { latitude_e7, longitude_e7 } = value.location;
    const about = answering.value;
    const reply_to = about?.kind === "reply" && about.chatId === chat.chat_id ? about.quoted.message_id : null;
    await attempt(async () => {
      await wish("location.send", { chat_id: chat.chat_id, latitude_e7, longitude_e7, label, reply_to });
      offer.value = null;
      composer.put("");
      keepDraft(chat, "", null);
      composer.field.focus();
      composer.dispatchEvent(new CustomEvent("wrote", { bubbles: true }));
    });
  }
}

customElements.define("skvoz-location-offer", LocationOffer);
composerTop.add({ order: 15, draw: (chat) => html`<skvoz-location-offer .chat=${chat}></skvoz-location-offer>` });

bubbleInstead.add({
  order: 10,
  draw: ({ location, chat_id }) => {
    if (!location) return null;
    const shown = coordinates(location);
    const copy = () => copyText(shown, say("The text is copied."));
    const { label } = location;
    return html`
      <div class="place">
        ${icons.place}
        <div class="grows">
          <p dir="auto"><b>${label ? marked(label, 0, label.length, soughtIn(chat_id, label)) : say("Location")}</b></p>
          <p class="quiet" dir="ltr">${shown}</p>
          <p class="row">
            <button class="link-button" @click=${copy}>${say("Copy")}</button>
            <a href="geo:${shown.replace(" ", "")}">${say("Open in an app")}</a>
          </p>
        </div>
      </div>
    `;
  },
});
