/** The settings, section by section. */

import { html, nothing } from "../vendor/lit.js";
import { tell } from "../core/announce.js";
import { sessionToken, wish, line } from "../core/connection.js";
import { icons } from "../core/icons.js";
import { chooseTextSize, chooseTheme, chosenTextSize, chosenTheme } from "../core/look.js";
import { Part } from "../core/part.js";
import { screens, settingsSections } from "../core/places.js";
import { back, go } from "../core/router.js";
import { endSession } from "../core/session.js";
import { LANGUAGES, chooseLanguage, chosenLanguage, explain, language, say } from "../core/texts.js";
import { account, flips, loadAccount, status } from "../state/home.js";

class Settings extends Part {
  constructor() {
    super();
    this.watch(language, account, status);
  }

  firstUpdated() {
    void this.focusOn("h1");
  }

  render() {
    return html`
      <main class="plain">
        <div class="sheet wide">
          <button class="icon-button back" aria-label=${say("Back")} @click=${back}>${icons.back}</button>
          <h1 tabindex="-1">${say("Settings")}</h1>
          ${settingsSections.all.map(({ title, draw }) => html`<section class="settings"><h2>${title()}</h2>${draw()}</section>`)}
        </div>
      </main>
    `;
  }
}

/**
 * A choice of one out of some, as radio buttons.
 *
 * @param {string} name
 * @param {string} legend
 * @param {[string, string][]} options value and label
 * @param {string} chosen
 * @param {(value: string) => void} choose
 */
export function choice(name, legend, options, chosen, choose) {
  return html`
    <fieldset class="choice">
      <legend>${legend}</legend>
      ${options.map(
        ([value, label]) => html`
          <label>
            <input type="radio" name=${name} .value=${value} .checked=${value === chosen} @change=${() => choose(value)}>
            <span>${label}</span>
          </label>
        `,
      )}
    </fieldset>
  `;
}

/** @param {SubmitEvent} event */
async function rename(event) {
  event.preventDefault();
  const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
  try {
    await wish("account.change", { name: String(data.get("name")).trim() });
    await loadAccount();
    tell(say("Saved."));
  } catch (error) {
    tell(explain(error));
  }
}

settingsSections.add({
  order: 10,
  title: () => say("You"),
  draw: () => html`
    <form class="row" @submit=${rename}>
      <label class="field grows">
        <span>${say("Your name, as others see it")}</span>
        <input name="name" required maxlength="64" dir="auto" .value=${account.value?.name ?? ""}>
      </label>
      <button class="button">${say("Save")}</button>
    </form>
  `,
});

settingsSections.add({
  order: 20,
  title: () => say("Appearance"),
  draw: () => html`
    ${choice("theme", say("Colours"), [["", say("As the system")], ["light", say("Light")], ["dark", say("Dark")]], chosenTheme(), chooseTheme)}
    ${choice(
      "size",
      say("Text size"),
      [["small", say("Small")], ["", say("Usual")], ["large", say("Large")], ["larger", say("Larger")]],
      chosenTextSize(),
      chooseTextSize,
    )}
    ${choice("language", say("Language"), [["", say("As the browser")], ...Object.entries(LANGUAGES)], chosenLanguage(), (value) => void chooseLanguage(value))}
  `,
});

const setReports = flips((reports_enabled) => ({ reports_enabled }));

settingsSections.add({
  order: 30,
  title: () => say("Privacy"),
  draw: () => html`
    <label class="switch">
      <input type="checkbox" .checked=${account.value?.reports_enabled ?? true} @change=${setReports}>
      <span>${say("Tell people when their messages arrive and are read")}</span>
    </label>
  `,
});

async function close() {
  line.value = "ended";
  await endSession(sessionToken());
}

settingsSections.add({
  order: 90,
  title: () => say("About"),
  draw: () => html`
    <p>
      <button class="link-button" @click=${() => go({ screen: "limits" })}>${say("What Skvoz can't do")}</button>
    </p>
    <p class="quiet">${status.value ? say("Skvoz {version}", { version: status.value.version }) : nothing}</p>
    <button class="button" @click=${close}>${say("Close this page")}</button>
  `,
});

customElements.define("skvoz-settings", Settings);
screens.set("settings", () => html`<skvoz-settings></skvoz-settings>`);
