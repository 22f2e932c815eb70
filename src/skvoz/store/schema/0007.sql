-- Who asks to be let into a group, and links of groups that were opened here.

CREATE TABLE asker (
    group_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, account_id)
) WITHOUT ROWID;

CREATE TABLE joining (
    log_id BLOB NOT NULL,
    inbox_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (log_id)
) WITHOUT ROWID;
CREATE INDEX joining_inbox_id ON joining (inbox_id);
