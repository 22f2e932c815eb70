-- What a relay holds: all of it, as `skvoz relay disclose` prints it. Hours are whole hours since 1970.

CREATE TABLE relay (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE log (
    log BLOB PRIMARY KEY,
    kind INTEGER NOT NULL,
    owner_hash BLOB NOT NULL,
    retention_s INTEGER,
    head INTEGER NOT NULL,
    base INTEGER NOT NULL,
    entry_count INTEGER NOT NULL,
    byte_count INTEGER NOT NULL,
    knock_head INTEGER NOT NULL,
    expires_hour INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE segment (
    log BLOB NOT NULL,
    number INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    by_carry INTEGER NOT NULL,
    key_hash BLOB NOT NULL,
    door_hash BLOB,
    closed_at INTEGER NOT NULL,
    last_closer INTEGER NOT NULL,
    carried INTEGER NOT NULL,
    expires_hour INTEGER,
    PRIMARY KEY (log, number)
) WITHOUT ROWID;
CREATE UNIQUE INDEX segment_key ON segment (log, key_hash);
CREATE INDEX segment_expiry ON segment (expires_hour) WHERE expires_hour IS NOT NULL;

-- Appended at the end whatever the log, so that one commit touches few pages. AUTOINCREMENT, because the
-- greatest number ever given tells a restored backup from the database that it replaces.
CREATE TABLE entry (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    log BLOB NOT NULL,
    position INTEGER NOT NULL,
    entry BLOB NOT NULL,
    segment INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    body BLOB NOT NULL,
    next_hash BLOB,
    expires_hour INTEGER NOT NULL
);
CREATE UNIQUE INDEX entry_position ON entry (log, position);
CREATE INDEX entry_expiry ON entry (expires_hour);

CREATE TABLE knock (
    log BLOB NOT NULL,
    number INTEGER NOT NULL,
    door_hash BLOB NOT NULL,
    body BLOB NOT NULL,
    expires_hour INTEGER NOT NULL,
    PRIMARY KEY (log, number)
);
CREATE INDEX knock_expiry ON knock (expires_hour);

CREATE TABLE package (
    number INTEGER PRIMARY KEY,
    log BLOB NOT NULL,
    digest BLOB NOT NULL,
    body BLOB NOT NULL,
    taker BLOB,
    expires_hour INTEGER
);
CREATE UNIQUE INDEX package_digest ON package (log, digest);
CREATE INDEX package_expiry ON package (expires_hour) WHERE expires_hour IS NOT NULL;

CREATE TABLE inbox (
    log BLOB PRIMARY KEY,
    last_package BLOB,
    offer BLOB,
    offer_taker BLOB
);
