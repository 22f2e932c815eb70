-- What people chose in polls.

CREATE TABLE votes (
    message_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (message_id, account_id)
) WITHOUT ROWID;
