-- Pinned messages: what was said last of each.

CREATE TABLE pin_change (
    message_id BLOB NOT NULL,
    chat_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (message_id)
) WITHOUT ROWID;
CREATE INDEX pin_change_chat_id ON pin_change (chat_id);
