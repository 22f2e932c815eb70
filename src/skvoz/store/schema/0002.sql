-- Files of messages; their bytes lie sealed in the folder `files`, named by the id in hex.

CREATE TABLE file (
    file_id BLOB NOT NULL,
    message_id BLOB,
    state INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (file_id)
);
CREATE INDEX file_message_id ON file (message_id);
CREATE INDEX file_state ON file (state);
CREATE INDEX file_created_ms ON file (created_ms);

CREATE TABLE held_message (
    message_id BLOB NOT NULL,
    group_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (message_id)
);
CREATE INDEX held_message_group_id ON held_message (group_id);
