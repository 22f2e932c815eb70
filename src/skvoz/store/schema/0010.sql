-- What is carried beside a conversation's relay: by hand, or over the network around.

CREATE TABLE carry_key (
    group_id BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, epoch)
) WITHOUT ROWID;

CREATE TABLE parcel (
    group_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    message_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, number)
);
CREATE INDEX parcel_message_id ON parcel (message_id);

CREATE TABLE arrived (
    group_id BLOB NOT NULL,
    message_id BLOB NOT NULL,
    arrived_ms INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, message_id)
) WITHOUT ROWID;
CREATE INDEX arrived_arrived_ms ON arrived (arrived_ms);
