/** The network around: whether conversations go on over it where no relay can be reached. */

import { html, nothing } from "../vendor/lit.js";
import { settingsSections } from "../core/places.js";
import { count, explain, say } from "../core/texts.js";
import { account, flips, status } from "../state/home.js";

const choose = flips((lan_enabled) => ({ lan_enabled }));

settingsSections.add({
  order: 54,
  title: () => say("The network around"),
  draw: () => html`
    <label class="switch">
      <input type="checkbox" .checked=${account.value?.lan_enabled ?? false} @change=${choose}>
      <span>${say("Go on over Wi-Fi or a cable, without internet, with people on the same network")}</span>
    </label>
    <p class="quiet">${say("While this is on, whoever is on that network can see that this machine offers something, and with a trained eye that it is Skvoz; not whose it is, and not what is said. Former members of your groups can tell that you are there. Both sides have to switch it on.")}</p>
    ${status.value?.lan_relays ? html`<p>${count("{number} machine of somebody you share a chat with is here.", "{number} machines of people you share a chat with are here.", status.value.lan_relays)}</p>` : nothing}
    ${status.value?.lan_problem ? html`<p class="problem">${explain(new Error(status.value.lan_problem))}</p>` : nothing}
  `,
});
