/** Files: attached to what one writes, shown in what came, and pictures seen large, voices recorded and heard. */

import "../attachments/attaching.js";
import "../attachments/in_bubble.js";
import "../attachments/recording.js";
import "../attachments/viewer.js";
