-- A branch's blobs are counted, and a carry's segments and open doors found, without looking at all of a log's.
DROP INDEX blob_log;
CREATE INDEX blob_log ON blob (log, branch, size);
CREATE INDEX segment_parent ON segment (log, parent) WHERE by_carry;
CREATE INDEX segment_door ON segment (log, door_hash) WHERE closed_at = 0;
