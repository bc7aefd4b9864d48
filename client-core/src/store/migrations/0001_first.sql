-- The first schema of a phone. Times are Unix milliseconds of the phone's clock unless named server_*.

-- One row: who this phone is and how far it has synced.
CREATE TABLE phone (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    key_seed      BLOB,                          -- Ed25519 seed of the device key; a platform keystore will wrap it
    next_seed     BLOB,                          -- the same for an enrolment that is under way
    next_code     BLOB,                          -- SHA-256 of its one-time code
    device        BLOB,
    server_url    TEXT,
    spki_pin      BLOB,                          -- SHA-256 of the server's public key, from the enrolment code
    server        TEXT,                          -- JSON, what the server said of itself at enrolment
    user          TEXT,                          -- JSON, who is signed in
    epoch         INTEGER NOT NULL DEFAULT 0,
    cursor        INTEGER NOT NULL DEFAULT 0,
    counter       INTEGER NOT NULL DEFAULT 0,    -- last device proof handed out
    reference     INTEGER NOT NULL DEFAULT 0,
    server_time   INTEGER NOT NULL DEFAULT 0,    -- last business time the server told
    last_sync     INTEGER NOT NULL DEFAULT 0,    -- phone's clock at that moment
    blocked       TEXT                           -- code, while the server does not take this phone at all
) STRICT;
INSERT INTO phone (one) VALUES (1);

-- Every case this phone knows: its drafts, its reports, what others share with it.
CREATE TABLE case_local (
    ord           INTEGER PRIMARY KEY,           -- order in which this phone learned of it
    id            BLOB NOT NULL UNIQUE,
    own           INTEGER NOT NULL,              -- 1: reported here
    state         TEXT NOT NULL,                 -- draft | submitted
    created_at    INTEGER NOT NULL,
    submitted_at  INTEGER,
    submit        INTEGER NOT NULL DEFAULT 0,    -- 0 not asked for, 1 to be sent, 2 acknowledged
    dirty         INTEGER NOT NULL DEFAULT 0,    -- 1: something of it the server has not acknowledged
    dirty_since   INTEGER,
    base          BLOB,                          -- document with every change sent or pulled; none before that
    base_rev      INTEGER NOT NULL DEFAULT 0,    -- counts writes of base, for compare-and-set
    facts         TEXT NOT NULL,                 -- JSON of Facts: base and the unsent edits on top
    acked_heads   BLOB,                          -- heads the server confirmed by digest
    repairs       INTEGER NOT NULL DEFAULT 0,    -- times refused since the last acknowledgement
    ledger        TEXT,                          -- JSON, folded from the event rows
    ledger_epoch  INTEGER NOT NULL DEFAULT 0,    -- server epoch the ledger is of
    attention     TEXT,                          -- code of what the inspector has to look at
    attention_at  TEXT,                          -- the field at fault
    -- What lists and counts ask for, derived from the columns above whenever they change.
    mine          INTEGER NOT NULL,              -- 1: reported by the signed-in user
    day           INTEGER NOT NULL,              -- local day received; until then the day it was made
    mode          TEXT,                          -- decided, until then claimed
    outcome       TEXT NOT NULL,                 -- draft | unsent | pending | filed | case_closed | void
    task          TEXT                           -- what waits for the signed-in user: verify | check | complete
) STRICT;
CREATE INDEX case_dirty ON case_local (ord) WHERE dirty = 1;
CREATE INDEX case_attention ON case_local (ord) WHERE attention IS NOT NULL;
CREATE INDEX case_task ON case_local (ord) WHERE task IS NOT NULL;
CREATE INDEX case_counted ON case_local (mine, day, mode, outcome);

-- What the inspector did, typed; the truth from which changes are made.
CREATE TABLE intent (
    seq           INTEGER PRIMARY KEY,           -- order of doing; ids sort by a clock that may jump
    id            BLOB NOT NULL UNIQUE,
    case_id       BLOB NOT NULL REFERENCES case_local (id) ON DELETE CASCADE,
    kind          TEXT NOT NULL,
    body          TEXT NOT NULL,                 -- JSON
    at            INTEGER NOT NULL,
    state         TEXT NOT NULL,                 -- pending | sent | acked | refused
    refused       TEXT                           -- JSON [{field, code}], edits of it the server did not take
) STRICT;
CREATE INDEX intent_of_case ON intent (case_id, seq);

-- Changes of this phone that were, or may have been, sent: immutable from then on.
CREATE TABLE change_out (
    case_id       BLOB NOT NULL REFERENCES case_local (id) ON DELETE CASCADE,
    ord           INTEGER NOT NULL,
    hash          BLOB NOT NULL,
    body          BLOB NOT NULL,
    upto          INTEGER NOT NULL,              -- last intent.seq it holds
    acked         INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (case_id, ord)
) STRICT, WITHOUT ROWID;

-- What was asked of the ledger.
CREATE TABLE request (
    seq           INTEGER PRIMARY KEY,
    intent        BLOB NOT NULL UNIQUE,
    case_id       BLOB NOT NULL REFERENCES case_local (id) ON DELETE CASCADE,
    verb          TEXT NOT NULL,
    seen_version  INTEGER NOT NULL,
    payload       TEXT NOT NULL,                 -- JSON
    at            INTEGER NOT NULL,
    state         TEXT NOT NULL,                 -- pending | accepted | refused
    version       INTEGER,                       -- ledger version it made
    code          TEXT,
    field         TEXT
) STRICT;
CREATE INDEX request_pending ON request (seq) WHERE state = 'pending';
CREATE INDEX request_of_case ON request (case_id, seq);

-- Ledger events as received, from which case_local.ledger is folded.
CREATE TABLE event (
    case_id       BLOB NOT NULL REFERENCES case_local (id) ON DELETE CASCADE,
    version       INTEGER NOT NULL,
    body          TEXT NOT NULL,                 -- JSON
    PRIMARY KEY (case_id, version)
) STRICT, WITHOUT ROWID;

-- Photos of this phone; the bytes are files named by hash.
CREATE TABLE photo (
    ord           INTEGER PRIMARY KEY,
    case_id       BLOB NOT NULL REFERENCES case_local (id) ON DELETE CASCADE,
    sha256        BLOB NOT NULL,
    state         TEXT NOT NULL,                 -- waiting | sent | refused
    bytes         INTEGER NOT NULL,
    sent          INTEGER NOT NULL DEFAULT 0,    -- bytes the server confirmed
    code          TEXT,                          -- why refused
    original      BLOB NOT NULL,                 -- SHA-256 of the file it was made from
    preview       BLOB NOT NULL,                 -- last: reading the columns before it does not touch it
    UNIQUE (case_id, sha256)
) STRICT;
CREATE INDEX photo_waiting ON photo (ord) WHERE state = 'waiting';
CREATE INDEX photo_by_hash ON photo (sha256);

-- Reference data of the district, replaced as a whole.
CREATE TABLE category (
    ord           INTEGER PRIMARY KEY,
    scheme        TEXT NOT NULL,
    kind          TEXT NOT NULL,
    code          TEXT NOT NULL,
    parent        TEXT,
    name          TEXT NOT NULL,
    self_handling INTEGER NOT NULL,
    UNIQUE (scheme, kind, code)
) STRICT;
CREATE INDEX category_name ON category (name);
CREATE INDEX category_code ON category (code);
CREATE TABLE grid (
    code          TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    west          INTEGER NOT NULL,              -- 1e-6 degrees, WGS-84
    south         INTEGER NOT NULL,
    east          INTEGER NOT NULL,
    north         INTEGER NOT NULL,
    polygon       TEXT NOT NULL                  -- JSON [[lon_e6, lat_e6], …]
) STRICT, WITHOUT ROWID;
CREATE TABLE void_reason (
    code          TEXT PRIMARY KEY,
    zh            TEXT NOT NULL,
    en            TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE unit (
    code          TEXT PRIMARY KEY,
    name          TEXT NOT NULL
) STRICT, WITHOUT ROWID;
