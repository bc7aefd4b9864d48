-- Voids that a reviewer of the console may still take back: carried out when due, by whichever process is there. They are
-- no decision yet: ledger, counters and phones know nothing of them. One per case; a further decision removes it.
-- @clustered
CREATE TABLE held_void (
    case_id BLOB PRIMARY KEY CHECK (length(case_id) = 16),
    user_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    payload TEXT NOT NULL,
    key TEXT NOT NULL,
    route TEXT NOT NULL,
    body_hash BLOB NOT NULL CHECK (length(body_hash) = 32),
    held_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL
);
CREATE INDEX held_void_due ON held_void (due_at);

-- Held voids that came to nothing because somebody else decided first, until their author has been told.
-- @clustered
CREATE TABLE dropped_void (
    user_id TEXT NOT NULL,
    case_id BLOB NOT NULL CHECK (length(case_id) = 16),
    at BIGINT NOT NULL,
    PRIMARY KEY (user_id, case_id)
);
