-- What changed in a chat, between its messages.

CREATE TABLE notice (
    sequence INTEGER NOT NULL,
    chat_id BLOB NOT NULL,
    group_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (sequence)
);
CREATE INDEX notice_chat_id ON notice (chat_id, sequence);
CREATE INDEX notice_group_id ON notice (group_id);
