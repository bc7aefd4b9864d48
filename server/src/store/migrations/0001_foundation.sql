-- The foundation: organisation, people and phones, the case with its facts and its decisions, the feed, the counters,
-- photos, and what the console and the reports keep.
--
-- Conventions. Times (*_at) are Unix milliseconds, days TEXT 'YYYY-MM-DD' and months 'YYYY-MM' of Asia/Shanghai,
-- booleans 0 or 1. Ids made by clients are 16-byte ULIDs, hashes SHA-256. Large tables carry their district, so that
-- they can be spread over machines later. Foreign keys are checked at once, never deferred: a check at COMMIT would
-- punish the other writes of the same batch. What each word above a table means is told in dialect.rs.

-- ---------------------------------------------------------------- the database itself

-- Facts about this database: server_epoch, reference_version, district. Keys and secrets live in files, not here.
-- @clustered
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Numbers that are given out once, such as the serial part of a case number (案卷号) per district and day.
-- A row per series, moved by UPDATE .. RETURNING inside the event's transaction: no gap, no double.
-- @clustered
CREATE TABLE series (
    name TEXT PRIMARY KEY,
    last BIGINT NOT NULL
);

-- Data that phones keep a copy of: void reasons, time limits, field limits, calendars. meta.reference_version counts.
-- @clustered
CREATE TABLE reference (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, key)
);

-- Category trees (部件/事件 大类小类). The same five digits name a part and its matter, hence kind in the key.
-- @clustered
CREATE TABLE taxonomy (
    scheme TEXT NOT NULL,
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    parent TEXT,
    name TEXT NOT NULL,
    name_en TEXT,
    selfable BIGINT NOT NULL CHECK (selfable IN (0, 1)),
    maps_to TEXT,
    PRIMARY KEY (scheme, kind, code)
);

-- ---------------------------------------------------------------- organisation, people, phones

-- The org tree: city, district, street, community, grid (单元网格). The code of a child starts with its parent's.
CREATE TABLE org_node (
    code TEXT PRIMARY KEY,
    parent TEXT,
    level TEXT NOT NULL CHECK (level IN ('city', 'district', 'street', 'community', 'grid')),
    name TEXT NOT NULL,
    polygon TEXT
);
CREATE INDEX org_node_parent ON org_node (parent);

-- Units (单位): town offices that report and review, departments, and units that handle.
CREATE TABLE unit (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('town_office', 'department', 'handling')),
    street TEXT,
    district TEXT NOT NULL,
    shown_in_report BIGINT NOT NULL DEFAULT 0 CHECK (shown_in_report IN (0, 1))
);

-- Who may log in. perm_version goes up with every change of role, scope or password and ends older tokens.
CREATE TABLE user_account (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    scope TEXT NOT NULL,
    unit TEXT,
    password_hash TEXT,
    disabled_at BIGINT,
    perm_version BIGINT NOT NULL DEFAULT 1,
    failed_count BIGINT NOT NULL DEFAULT 0,
    locked_until BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);
CREATE INDEX user_account_unit ON user_account (unit, role);

-- The grids an inspector (网格员) walks.
-- @clustered
CREATE TABLE user_grid (
    user_id TEXT NOT NULL REFERENCES user_account (id),
    grid TEXT NOT NULL,
    PRIMARY KEY (user_id, grid)
);
CREATE INDEX user_grid_grid ON user_grid (grid);

-- Enrolled phones. counter and counter_window are the device proof's replay window: the newest counter, and 4 bytes of
-- the signature seen with it and with each of the 63 before it (zero: not seen). A number that returns with another
-- signature comes from a second copy of the phone. waiting_* is what the phone last said is still only on it.
CREATE TABLE device (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    user_id TEXT NOT NULL REFERENCES user_account (id),
    public_key BLOB NOT NULL CHECK (length(public_key) = 32),
    counter BIGINT NOT NULL DEFAULT 0,
    counter_window BLOB NOT NULL,
    name TEXT NOT NULL,
    enrolled_at BIGINT NOT NULL,
    revoked_at BIGINT,
    cloned_at BIGINT,
    last_seen_at BIGINT,
    last_cursor BIGINT,
    waiting_cases BIGINT NOT NULL DEFAULT 0,
    waiting_photos BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX device_user ON device (user_id);

-- New cases per phone and day, for the quota: counting case rows at every sync would cost more than the sync.
-- @clustered
CREATE TABLE device_day (
    device BLOB NOT NULL,
    day TEXT NOT NULL,
    new_cases BIGINT NOT NULL,
    PRIMARY KEY (device, day)
);

-- One-time codes by which a phone joins. Only the hash is kept: the code itself is a credential. used_by is the phone
-- that joined with it, so that the same phone asking again after a lost answer gets the same answer.
CREATE TABLE enrol_code (
    code_hash BLOB PRIMARY KEY CHECK (length(code_hash) = 32),
    user_id TEXT NOT NULL REFERENCES user_account (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    used_by BLOB REFERENCES device (id)
);

-- Whose an Automerge actor is. First use wins: an actor that returns from another phone or user is refused, since two
-- phones counting in one actor would produce different changes with equal numbers.
-- @clustered
CREATE TABLE actor (
    actor BLOB PRIMARY KEY CHECK (length(actor) = 8),
    device BLOB NOT NULL,
    user_id TEXT NOT NULL,
    first_seen_at BIGINT NOT NULL
);

-- Signed-in console pages. Only the hash of the cookie is kept. A session ends at expires_at, or when seen_at lies too
-- far back.
CREATE TABLE web_session (
    token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id TEXT NOT NULL REFERENCES user_account (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    csrf TEXT NOT NULL
);
CREATE INDEX web_session_user ON web_session (user_id);
CREATE INDEX web_session_expiry ON web_session (expires_at);

-- ---------------------------------------------------------------- the case: decisions

-- The projection of a case: what lists show and filter by, and in `ledger` the whole projected state as JSON.
-- Always equal to a replay of its case_event rows (`verify` checks it); only written together with one of them.
-- Categories are 'scheme:kind:code'; `category` is category_final, or the claim frozen at the report until there is one.
-- `unit` is the reporting unit, `office` the unit that reviews, `handler` the unit that handles. Columns that follow the
-- facts instead, and are written with them: category_claim, has_after, photos_*, heads, text, lon_e6, lat_e6,
-- late_edited_at. A case that was sent_back (退回补充) waits for its reporter and not for the office.
CREATE TABLE case_row (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    district TEXT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    case_no TEXT UNIQUE,
    mode_claim TEXT NOT NULL CHECK (mode_claim IN ('self_handled', 'forwarded')),
    mode TEXT CHECK (mode IN ('self_handled', 'forwarded')),
    category TEXT NOT NULL,
    category_claim TEXT NOT NULL,
    category_final TEXT,
    unit TEXT NOT NULL,
    office TEXT NOT NULL,
    street TEXT NOT NULL,
    community TEXT NOT NULL,
    grid TEXT NOT NULL,
    reporter TEXT NOT NULL,
    source TEXT NOT NULL,
    handler TEXT,
    level TEXT,
    task_user TEXT,
    holder TEXT,
    received_at BIGINT NOT NULL,
    received_day TEXT NOT NULL,
    discovered_at BIGINT,
    filed_at BIGINT,
    closed_at BIGINT,
    void_reason TEXT,
    due_at BIGINT,
    has_after BIGINT NOT NULL DEFAULT 0 CHECK (has_after IN (0, 1)),
    photos_expected BIGINT NOT NULL DEFAULT 0,
    photos_present BIGINT NOT NULL DEFAULT 0,
    flags TEXT NOT NULL DEFAULT '[]',
    sent_back BIGINT NOT NULL DEFAULT 0 CHECK (sent_back IN (0, 1)),
    heads BLOB NOT NULL,
    text TEXT NOT NULL,
    lon_e6 BIGINT,
    lat_e6 BIGINT,
    late_edited_at BIGINT,
    updated_at BIGINT NOT NULL,
    event_hash BLOB NOT NULL CHECK (length(event_hash) = 32),
    ledger TEXT NOT NULL
);
-- One index per way a list is asked for, each ending in the paging key (received_at, id). The state has one of its own:
-- open states are rare, so it serves best whatever else is asked for beside them (domain/cases.rs chooses).
CREATE INDEX case_row_received ON case_row (district, received_at, id);
CREATE INDEX case_row_state ON case_row (district, state, received_at, id);
CREATE INDEX case_row_street ON case_row (street, received_at, id);
CREATE INDEX case_row_unit ON case_row (unit, received_at, id);
CREATE INDEX case_row_office ON case_row (office, received_at, id);
CREATE INDEX case_row_handler ON case_row (handler, received_at, id) WHERE handler IS NOT NULL;
CREATE INDEX case_row_grid ON case_row (grid, received_at, id);
CREATE INDEX case_row_reporter ON case_row (reporter, received_at, id);
CREATE INDEX case_row_category ON case_row (district, category, received_at, id);
CREATE INDEX case_row_task ON case_row (task_user, received_at, id) WHERE task_user IS NOT NULL;
CREATE INDEX case_row_holder ON case_row (holder, received_at, id) WHERE holder IS NOT NULL;
CREATE INDEX case_row_due ON case_row (district, due_at) WHERE due_at IS NOT NULL AND closed_at IS NULL;

-- The ledger: every decision ever taken on a case, in order, chained. `heads` are the facts it judged.
-- No row is ever changed or removed; a wrong decision is corrected by a further one.
-- @append_only
-- @clustered
CREATE TABLE case_event (
    case_id BLOB NOT NULL REFERENCES case_row (id),
    version BIGINT NOT NULL,
    district TEXT NOT NULL,
    verb TEXT NOT NULL,
    actor TEXT NOT NULL,
    role TEXT NOT NULL,
    device BLOB,
    at BIGINT NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    payload TEXT NOT NULL,
    heads BLOB NOT NULL,
    prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (case_id, version)
);

-- Name and phone of a citizen who reported. Kept apart: only the hotline may unmask it, phones never see it, and it is
-- removed after its time while the case stays.
CREATE TABLE case_contact (
    case_id BLOB PRIMARY KEY REFERENCES case_row (id),
    name TEXT,
    phone TEXT,
    remove_after BIGINT NOT NULL
);

-- Numbers that other systems gave a case; makes intake and transfer from them repeatable.
-- @clustered
CREATE TABLE external_ref (
    system TEXT NOT NULL,
    number TEXT NOT NULL,
    case_id BLOB NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (system, number)
);

-- ---------------------------------------------------------------- the case: facts

-- Every accepted change of a FieldDoc, as it came. The document can be rebuilt from these rows alone. `hash` names the
-- body, `row_hash` covers the whole row.
-- @clustered
CREATE TABLE change_row (
    case_id BLOB NOT NULL CHECK (length(case_id) = 16),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    district TEXT NOT NULL,
    actor BLOB NOT NULL,
    seq BIGINT NOT NULL,
    device BLOB NOT NULL,
    user_id TEXT NOT NULL,
    bytes BLOB NOT NULL,
    received_at BIGINT NOT NULL,
    row_hash BLOB NOT NULL CHECK (length(row_hash) = 32),
    PRIMARY KEY (case_id, hash),
    UNIQUE (case_id, actor, seq)
);

-- The merged FieldDoc. Merging happens outside the transaction; `version` is compared and set inside it.
CREATE TABLE doc (
    case_id BLOB PRIMARY KEY CHECK (length(case_id) = 16),
    district TEXT NOT NULL,
    version BIGINT NOT NULL,
    snapshot BLOB NOT NULL,
    heads BLOB NOT NULL,
    bytes_hash BLOB NOT NULL CHECK (length(bytes_hash) = 32),
    updated_at BIGINT NOT NULL
);

-- What phones asked of the ledger and what came of it, for ever: a request repeated after a year is still one request.
-- @clustered
CREATE TABLE request_log (
    intent_id BLOB PRIMARY KEY CHECK (length(intent_id) = 16),
    district TEXT NOT NULL,
    case_id BLOB NOT NULL,
    device BLOB NOT NULL,
    verb TEXT NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT,
    version BIGINT,
    at BIGINT NOT NULL
);
CREATE INDEX request_log_case ON request_log (case_id);

-- Bytes the gate refused, kept for a person to look at. A report is never simply thrown away.
CREATE TABLE quarantine (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    device BLOB NOT NULL,
    user_id TEXT NOT NULL,
    case_id BLOB,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    code TEXT NOT NULL,
    field TEXT,
    bytes BLOB NOT NULL,
    at BIGINT NOT NULL,
    UNIQUE (device, hash)
);

-- ---------------------------------------------------------------- the feed

-- The newest feed position of each district and its hash. UPDATE .. RETURNING inside the event's transaction gives out
-- positions in commit order (sequences would not), and a cut-off tail of the feed no longer matches this row.
-- @clustered
CREATE TABLE feed_head (
    district TEXT PRIMARY KEY,
    position BIGINT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
);

-- What happened, in the order it was committed: what a phone reads after its cursor. Chained like the ledger.
-- A row tells of a ledger event (version and event_hash), of accepted changes (their hashes end to end, in causal order),
-- or of both at once: a new report is one row. `kind` is 'submit' for a report taken exactly as its phone sent it, which
-- that phone is not told again.
-- @append_only
-- @clustered
CREATE TABLE feed (
    district TEXT NOT NULL,
    position BIGINT NOT NULL,
    case_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('submit', 'ledger', 'changes')),
    version BIGINT,
    event_hash BLOB,
    changes BLOB,
    origin_device BLOB,
    prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (district, position)
);

-- Whom a feed row concerns: 'u:<user>' and 'g:<grid>', everyone who could see the case before it or can after it, so
-- that whoever just lost a case hears of that too. `joins` marks those who could not see it before and need all of it.
-- @append_only
-- @clustered
CREATE TABLE feed_audience (
    district TEXT NOT NULL,
    audience TEXT NOT NULL,
    position BIGINT NOT NULL,
    joins BIGINT NOT NULL CHECK (joins IN (0, 1)),
    PRIMARY KEY (district, audience, position)
);

-- ---------------------------------------------------------------- counting

-- Counters, written in the event's transaction and always equal to a recount of the ledger. A case stands in exactly
-- one of eight columns: its mode (s self-handled, f forwarded) and its outcome. One wide row instead of eight narrow
-- ones: a decision moves a case between two columns of one row, and a month has a quarter of the rows to add up.
-- The grid comes before unit and category, so that a street or community is one range of the key.
-- @clustered
CREATE TABLE count_day (
    district TEXT NOT NULL,
    day TEXT NOT NULL,
    grid TEXT NOT NULL,
    unit TEXT NOT NULL,
    category TEXT NOT NULL,
    s_pending BIGINT NOT NULL,
    s_filed BIGINT NOT NULL,
    s_case_closed BIGINT NOT NULL,
    s_void BIGINT NOT NULL,
    f_pending BIGINT NOT NULL,
    f_filed BIGINT NOT NULL,
    f_case_closed BIGINT NOT NULL,
    f_void BIGINT NOT NULL,
    PRIMARY KEY (district, day, grid, unit, category)
);

-- The same per month, so that a whole month costs thirty times less.
-- @clustered
CREATE TABLE count_month (
    district TEXT NOT NULL,
    month TEXT NOT NULL,
    grid TEXT NOT NULL,
    unit TEXT NOT NULL,
    category TEXT NOT NULL,
    s_pending BIGINT NOT NULL,
    s_filed BIGINT NOT NULL,
    s_case_closed BIGINT NOT NULL,
    s_void BIGINT NOT NULL,
    f_pending BIGINT NOT NULL,
    f_filed BIGINT NOT NULL,
    f_case_closed BIGINT NOT NULL,
    f_void BIGINT NOT NULL,
    PRIMARY KEY (district, month, grid, unit, category)
);

-- Both without the grid, for the questions asked most: a district has a hundred times more grids than units.
-- Measured: 20,000 rows of a month take 6 to 11 ms to add up, 450 rows 0.2 ms.
-- @clustered
CREATE TABLE tally_day (
    district TEXT NOT NULL,
    day TEXT NOT NULL,
    unit TEXT NOT NULL,
    category TEXT NOT NULL,
    s_pending BIGINT NOT NULL,
    s_filed BIGINT NOT NULL,
    s_case_closed BIGINT NOT NULL,
    s_void BIGINT NOT NULL,
    f_pending BIGINT NOT NULL,
    f_filed BIGINT NOT NULL,
    f_case_closed BIGINT NOT NULL,
    f_void BIGINT NOT NULL,
    PRIMARY KEY (district, day, unit, category)
);

-- The same per month.
-- @clustered
CREATE TABLE tally_month (
    district TEXT NOT NULL,
    month TEXT NOT NULL,
    unit TEXT NOT NULL,
    category TEXT NOT NULL,
    s_pending BIGINT NOT NULL,
    s_filed BIGINT NOT NULL,
    s_case_closed BIGINT NOT NULL,
    s_void BIGINT NOT NULL,
    f_pending BIGINT NOT NULL,
    f_filed BIGINT NOT NULL,
    f_case_closed BIGINT NOT NULL,
    f_void BIGINT NOT NULL,
    PRIMARY KEY (district, month, unit, category)
);

-- ---------------------------------------------------------------- photos

-- Photos a case speaks of, whether their bytes are here yet (present) or not.
-- @clustered
CREATE TABLE photo (
    case_id BLOB NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    district TEXT NOT NULL,
    role TEXT NOT NULL,
    mime TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    taken_at BIGINT,
    device BLOB,
    announced_at BIGINT NOT NULL,
    present BIGINT NOT NULL DEFAULT 0 CHECK (present IN (0, 1)),
    PRIMARY KEY (case_id, sha256)
);
CREATE INDEX photo_sha256 ON photo (sha256);
CREATE INDEX photo_missing ON photo (district, announced_at) WHERE present = 0;

-- Bytes that are stored and whose hash was checked.
-- @clustered
CREATE TABLE blob (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    size_bytes BIGINT NOT NULL,
    mime TEXT NOT NULL,
    stored_at BIGINT NOT NULL
);

-- Which phone proved to have the bytes by sending all of them. Nobody else may refer to a blob: knowing a hash is not
-- owning a photo. `device` is the phone's id, or for people who send from an office a 32-byte hash of theirs.
-- @clustered
CREATE TABLE blob_owner (
    device BLOB NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    at BIGINT NOT NULL,
    PRIMARY KEY (device, sha256)
);

-- Uploads under way (tus), private to whoever began them; `device` as above. Photos that a push announced need no row
-- here. How far an upload got is the length of its file: a second place to keep that would sooner or later differ.
CREATE TABLE upload (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    device BLOB,
    user_id TEXT,
    sha256 BLOB CHECK (length(sha256) = 32),
    length_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    finished_at BIGINT,
    UNIQUE (device, sha256)
);
CREATE INDEX upload_expiry ON upload (expires_at);

-- ---------------------------------------------------------------- office, audit, reports

-- Answers to requests with an Idempotency-Key, so that a repeat is answered and not done again.
CREATE TABLE idempotency (
    user_id TEXT NOT NULL,
    key TEXT NOT NULL,
    route TEXT NOT NULL,
    body_hash BLOB NOT NULL CHECK (length(body_hash) = 32),
    status BIGINT NOT NULL,
    response TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (user_id, key)
);

-- Who did what outside the ledger as well: log-ins, accounts, exports, unmasked contacts. Chained.
-- @append_only
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
);
CREATE INDEX audit_subject ON audit (subject, seq);

-- Figures taken over from other systems (hotline, fire watch); printed marked as such. Exact decimals, hence TEXT.
-- @clustered
CREATE TABLE external_figure (
    district TEXT NOT NULL,
    template TEXT NOT NULL,
    period TEXT NOT NULL,
    metric TEXT NOT NULL,
    value TEXT NOT NULL,
    unit TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (district, template, period, metric)
);

-- Published reports with the figures they were published with: next month's comparison reads these.
CREATE TABLE edition (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    template TEXT NOT NULL,
    scope TEXT NOT NULL,
    period TEXT NOT NULL,
    as_of BIGINT NOT NULL,
    number BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('draft', 'published', 'corrected')),
    signer TEXT NOT NULL,
    at BIGINT NOT NULL,
    figures TEXT NOT NULL,
    UNIQUE (template, scope, period, number)
);

-- The cases an edition counted, so that every published number can be opened.
-- @clustered
CREATE TABLE edition_case (
    edition BLOB NOT NULL REFERENCES edition (id),
    case_id BLOB NOT NULL,
    PRIMARY KEY (edition, case_id)
);
