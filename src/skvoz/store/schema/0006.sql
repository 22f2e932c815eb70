-- Complaints of members, for the admins of a group.

CREATE TABLE complaint_heard (
    group_id BLOB NOT NULL,
    message_id BLOB NOT NULL,
    reporter BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (group_id, message_id, reporter)
) WITHOUT ROWID;
CREATE INDEX complaint_heard_message_id ON complaint_heard (message_id);
CREATE INDEX complaint_heard_reporter ON complaint_heard (reporter);
