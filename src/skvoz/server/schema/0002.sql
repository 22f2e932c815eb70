-- Blobs: what stands here is in the database, their bytes are files under `blobs/`, named by the id in hex.
CREATE TABLE blob (
    blob BLOB PRIMARY KEY,
    log BLOB NOT NULL,
    write_hash BLOB NOT NULL,
    read_hash BLOB NOT NULL,
    size INTEGER NOT NULL,
    written INTEGER NOT NULL,
    position INTEGER NOT NULL,
    retention_s INTEGER,
    expires_hour INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX blob_log ON blob (log);
CREATE INDEX blob_expiry ON blob (expires_hour);
