-- Programs with a token of their own.

CREATE TABLE bot (
    bot_id BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (bot_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX bot_token_hash ON bot (token_hash);
