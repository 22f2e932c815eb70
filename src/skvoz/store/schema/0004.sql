-- Our last knock at the door of a conversation, repeated as it was for a while.

CREATE TABLE own_knock (
    group_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id)
) WITHOUT ROWID;
