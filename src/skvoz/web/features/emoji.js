/** Emoji to choose from, beside the writing field and for reactions; those that were used last come first. */

import { html } from "../vendor/lit.js";
import { icons } from "../core/icons.js";
import { composerTools } from "../core/places.js";
import { closePopup, openPopup } from "../core/popup.js";
import { say } from "../core/texts.js";

const RECENT_MAX = 16;
/** @type {[() => string, string][]} a heading, and the emoji under it */
const GROUPS = [
  [() => say("Faces"), "😀 😄 😁 😅 😂 🙂 😉 😊 😍 😘 😋 😜 🤔 🤨 😐 😏 🙄 😴 😌 😔 😢 😭 😤 😡 😱 😳 🥳 🤗 🤦 🤷 🙈 🤒"],
  [() => say("Hands and hearts"), "👍 👎 👌 ✌️ 🤞 👋 👏 🙏 💪 🤝 ✍️ 👀 ❤️ 🧡 💛 💚 💙 💜 🖤 💔 💯 ✨ 🔥 🎉"],
  [() => say("Nature and food"), "☀️ 🌧️ ❄️ 🌊 🌲 🌷 🍀 🍄 🐶 🐱 🐻 🦊 🐦 🐟 🍎 🍓 🥕 🥖 🧀 🍕 🥣 🍰 ☕ 🍵"],
  [() => say("Things and places"), "🏠 🚗 🚲 🚆 ✈️ ⛵ ⛺ 🗺️ ⌚ 📱 💻 📷 📞 💡 🔑 🔒 ✂️ 📌 📎 📅 ✉️ 📦 💰 🎁 🎵 📖 ⚽ ♟️"],
  [() => say("Signs"), "✅ ❌ ❗ ❓ ⚠️ ⛔ ➡️ ⬅️ ⬆️ ⬇️ 🔁 ⏳ 🆗 🆘 ➕ ➖ 0️⃣ 1️⃣ 2️⃣ 3️⃣ 🔴 🟡 🟢 🔵"],
];

/** @type {string[]} for as long as the page is open */
let recent = [];

/**
 * Let the person choose an emoji.
 *
 * @param {HTMLElement} anchor
 * @param {string} label
 * @param {(emoji: string) => void} take
 */
export function chooseEmoji(anchor, label, take) {
  /** @param {string} emoji */
  const choose = (emoji) => {
    recent = [emoji, ...recent.filter((one) => one !== emoji)].slice(0, RECENT_MAX);
    closePopup();
    take(emoji);
  };
  /** @param {string} name @param {string[]} emoji */
  const group = (name, emoji) => html`
    <div role="group" aria-label=${name}>
      <p class="quiet" aria-hidden="true">${name}</p>
      <div class="emoji">${emoji.map((one) => html`<button role="menuitem" tabindex="-1" @click=${() => choose(one)}>${one}</button>`)}</div>
    </div>
  `;
  const top = html`
    <div class="emoji-groups">
      ${recent.length ? group(say("Used lately"), recent) : ""}
      ${GROUPS.map(([name, emoji]) => group(name(), emoji.split(" ")))}
    </div>
  `;
  openPopup({ anchor, label, entries: [], top });
}

composerTools.add({
  order: 90,
  draw: () => html`
    <button type="button" class="icon-button" aria-label=${say("Emoji")} title=${say("Emoji")} aria-haspopup="menu" @click=${open}>${icons.smile}</button>
  `,
});

/** @param {Event} event */
function open(event) {
  const button = /** @type {HTMLElement} */ (event.currentTarget);
  const field = button.closest("form")?.querySelector("textarea");
  if (!field) return;
  chooseEmoji(button, say("Emoji"), (emoji) => {
    field.setRangeText(emoji, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });
}
