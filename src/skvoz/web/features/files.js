/** Files: attached to what one writes, shown in what came, and pictures seen large. */

import "../files/attaching.js";
import "../files/in_bubble.js";
import "../files/viewer.js";
