/**
 * The features of the page beyond its frame. Each is a module that adds itself to the places of `core/places.js` when it
 * is loaded; this is the only list of them.
 */

import "./features/bundles.js";
import "./features/cards.js";
import "./features/contact.js";
import "./features/emergency.js";
import "./features/emoji.js";
import "./features/expiry.js";
import "./features/files.js";
import "./features/folders.js";
import "./features/forwarding.js";
import "./features/group_links.js";
import "./features/groups.js";
import "./features/joining.js";
import "./features/homes.js";
import "./features/links.js";
import "./features/lock.js";
import "./features/looking_after.js";
import "./features/location.js";
import "./features/message_acts.js";
import "./features/network.js";
import "./features/nearby.js";
import "./features/notifications.js";
import "./features/phrase.js";
import "./features/pins.js";
import "./features/polls.js";
import "./features/proxy.js";
import "./features/quoting.js";
import "./features/reactions.js";
import "./features/reporting.js";
import "./features/safety_number.js";
import "./features/search.js";
import "./features/shelf.js";
import "./features/storage.js";
