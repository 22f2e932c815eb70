-- Contested branches: what each of them holds is charged to it alone. What was there before stays with the log.
ALTER TABLE segment ADD COLUMN branch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entry ADD COLUMN branch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE blob ADD COLUMN branch INTEGER NOT NULL DEFAULT 0;
CREATE TABLE branch (
    log BLOB NOT NULL,
    number INTEGER NOT NULL,
    entry_count INTEGER NOT NULL,
    byte_count INTEGER NOT NULL,
    PRIMARY KEY (log, number)
) WITHOUT ROWID;
