-- Storage that stands in for a relay, with what opens it.

CREATE TABLE dead_drop (
    relay_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (relay_id)
) WITHOUT ROWID;
