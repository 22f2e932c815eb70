/** Where the page begins: language, session, line to the node, and then whichever screen is due. */

import "./app.js";
import { connect, line } from "./core/connection.js";
import { takeUpSession } from "./core/session.js";
import { loadLanguage } from "./core/texts.js";
import "./features.js";
import { loadChats } from "./state/chats.js";
import { loadContacts } from "./state/contacts.js";
import { followConversation } from "./state/conversation.js";
import { loadHome } from "./state/home.js";

async function begin() {
  const [token] = await Promise.all([takeUpSession(), loadLanguage()]);
  if (!token) {
    line.value = "ended";
    return;
  }
  connect(token);
  followConversation();
  await Promise.all([loadHome(), loadChats(), loadContacts()]);
}

void begin();
