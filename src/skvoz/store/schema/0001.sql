-- The first schema: one table per record kind of skvoz.client.records. `body` is the whole record;
-- the other columns are its key and what it can be selected by.

CREATE TABLE counter (
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (name)
) WITHOUT ROWID;

CREATE TABLE account (
    number INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (number)
);

CREATE TABLE relay (
    relay_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (relay_id)
) WITHOUT ROWID;

CREATE TABLE contact (
    account_id BLOB NOT NULL,
    state INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (account_id)
) WITHOUT ROWID;
CREATE INDEX contact_state ON contact (state);

CREATE TABLE conversation (
    group_id BLOB NOT NULL,
    log_id BLOB NOT NULL,
    chat_id BLOB NOT NULL,
    state INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id)
) WITHOUT ROWID;
CREATE INDEX conversation_log_id ON conversation (log_id);
CREATE INDEX conversation_chat_id ON conversation (chat_id);
CREATE INDEX conversation_state ON conversation (state);

CREATE TABLE participant (
    group_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, account_id)
) WITHOUT ROWID;

CREATE TABLE group_part (
    group_id BLOB NOT NULL,
    part TEXT NOT NULL,
    leaf INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, part, leaf)
);

CREATE TABLE intent (
    intent_id INTEGER NOT NULL,
    group_id BLOB NOT NULL,
    entry_id BLOB,
    body BLOB NOT NULL,
    PRIMARY KEY (intent_id)
);
CREATE INDEX intent_group_id ON intent (group_id);
CREATE INDEX intent_entry_id ON intent (entry_id);

CREATE TABLE sent_entry (
    group_id BLOB NOT NULL,
    entry_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, entry_id)
) WITHOUT ROWID;

CREATE TABLE staged_commit (
    group_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id)
) WITHOUT ROWID;

CREATE TABLE closer (
    group_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, position)
) WITHOUT ROWID;

CREATE TABLE kept_closer (
    group_id BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, epoch)
) WITHOUT ROWID;

CREATE TABLE knock_heard (
    group_id BLOB NOT NULL,
    leaf INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, leaf)
) WITHOUT ROWID;

CREATE TABLE delivery (
    entry_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (entry_id)
) WITHOUT ROWID;

CREATE TABLE inbox (
    log_id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (log_id)
) WITHOUT ROWID;
CREATE INDEX inbox_kind ON inbox (kind);

CREATE TABLE mail_part (
    invitation_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (invitation_id, number)
) WITHOUT ROWID;

CREATE TABLE key_package_secret (
    reference BLOB NOT NULL,
    log_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (reference)
) WITHOUT ROWID;
CREATE INDEX key_package_secret_log_id ON key_package_secret (log_id);

CREATE TABLE approach (
    taker BLOB NOT NULL,
    log_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (taker)
) WITHOUT ROWID;
CREATE INDEX approach_log_id ON approach (log_id);

CREATE TABLE message (
    message_id BLOB NOT NULL,
    chat_id BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    group_id BLOB NOT NULL,
    expires_ms INTEGER,
    body BLOB NOT NULL,
    PRIMARY KEY (message_id)
);
CREATE INDEX message_chat_id ON message (chat_id, sequence);
CREATE UNIQUE INDEX message_sequence ON message (sequence);
CREATE INDEX message_group_id ON message (group_id);
CREATE INDEX message_expires_ms ON message (expires_ms) WHERE expires_ms IS NOT NULL;

CREATE TABLE reaction_given (
    reaction_id BLOB NOT NULL,
    message_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (reaction_id)
) WITHOUT ROWID;
CREATE INDEX reaction_given_message_id ON reaction_given (message_id);

CREATE TABLE last_seen (
    group_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id)
) WITHOUT ROWID;

CREATE TABLE spoken (
    group_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, account_id)
) WITHOUT ROWID;

CREATE TABLE unread (
    group_id BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, sequence)
) WITHOUT ROWID;

CREATE TABLE waiting_change (
    target BLOB NOT NULL,
    message_id BLOB NOT NULL,
    group_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (target, message_id)
) WITHOUT ROWID;
CREATE INDEX waiting_change_group_id ON waiting_change (group_id);

CREATE TABLE receipt (
    message_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (message_id, account_id)
) WITHOUT ROWID;

CREATE TABLE pending_report (
    group_id BLOB NOT NULL,
    message_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, message_id)
) WITHOUT ROWID;

CREATE TABLE gap (
    group_id BLOB NOT NULL,
    message_id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, message_id)
) WITHOUT ROWID;

CREATE TABLE alarm (
    name TEXT NOT NULL,
    subject BLOB NOT NULL,
    due_ms INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (name, subject)
) WITHOUT ROWID;
CREATE INDEX alarm_due_ms ON alarm (due_ms);

CREATE TABLE answered (
    client_id TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (client_id)
) WITHOUT ROWID;
CREATE INDEX answered_created_ms ON answered (created_ms);

CREATE TABLE event (
    sequence INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (sequence)
);
-- The words of messages for search, folded (case, ё); the text itself is only in `message`. Whoever takes a
-- message out names its words again, so that none of them stays behind in the index.
CREATE VIRTUAL TABLE message_text USING fts5(
    folded, content='', tokenize="unicode61 remove_diacritics 0"
);
INSERT INTO message_text (message_text, rank) VALUES ('secure-delete', 1);
