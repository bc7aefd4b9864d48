-- What administrators do on pages: passwords that somebody else knows and that therefore have to be changed first, and the
-- audit log asked by who acted.
ALTER TABLE user_account ADD COLUMN password_once BIGINT NOT NULL DEFAULT 0 CHECK (password_once IN (0, 1));
CREATE INDEX audit_actor ON audit (actor, seq);

-- Calendars and time limits that administrators put over the server's files; the newest of a kind is in force. One without
-- a body goes back to the file.
-- @append_only
CREATE TABLE timetable_edition (
    kind TEXT NOT NULL CHECK (kind IN ('calendar', 'limits')),
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    body TEXT,
    by_user TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (kind, number)
);
