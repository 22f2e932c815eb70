/** The base of elements about one person: what they show is read anew when the person changes, or is another. */

import { Part } from "./part.js";

export class AboutPerson extends Part {
  static properties = { accountId: {} };

  constructor() {
    super();
    this.accountId = "";
    this.hear("contact.changed", ({ account_id }) => {
      if (account_id === this.accountId) void this.load();
    });
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (changed.has("accountId") && this.accountId) void this.load();
  }

  /** Read what is shown; each element has its own. */
  async load() {}
}
