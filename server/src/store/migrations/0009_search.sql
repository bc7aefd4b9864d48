-- Finding cases: by words, and by the deadline that runs; counting them by grid and by day without their categories.
--
-- `ordinal` numbers cases in the order of receipt. `deadline_at` is the handling deadline while it runs: dispatched, not
-- yet handled, not paused. Both follow the projection; cases from before are filled when the database is opened
-- (domain/cases/fill.rs), which is what the mark is for.
ALTER TABLE case_row ADD COLUMN ordinal BIGINT;
ALTER TABLE case_row ADD COLUMN deadline_at BIGINT;
INSERT INTO meta (key, value) SELECT 'search_filled_to', '' WHERE EXISTS (SELECT 1 FROM case_row);
CREATE UNIQUE INDEX case_row_ordinal ON case_row (ordinal);

-- Few cases have a deadline that runs, so these stay small however many cases there are.
CREATE INDEX case_row_deadline ON case_row (district, deadline_at, id) WHERE deadline_at IS NOT NULL;
CREATE INDEX case_row_deadline_office ON case_row (office, deadline_at, id) WHERE deadline_at IS NOT NULL;
CREATE INDEX case_row_deadline_handler ON case_row (handler, deadline_at, id) WHERE deadline_at IS NOT NULL;

-- Which cases have which pair of characters in their text or number (domain/cases/search.rs). Portable, and good for
-- words of two characters, which full-text indexes of either engine do not find.
-- @clustered
CREATE TABLE case_gram (
    gram TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    PRIMARY KEY (gram, ordinal)
);

-- Months by grid and unit: a map asks for every grid of a district, and a year of them is thirty times more with
-- categories.
-- @clustered
CREATE TABLE tally_grid (
    district TEXT NOT NULL,
    month TEXT NOT NULL,
    grid TEXT NOT NULL,
    unit TEXT NOT NULL,
    s_pending BIGINT NOT NULL,
    s_filed BIGINT NOT NULL,
    s_case_closed BIGINT NOT NULL,
    s_void BIGINT NOT NULL,
    f_pending BIGINT NOT NULL,
    f_filed BIGINT NOT NULL,
    f_case_closed BIGINT NOT NULL,
    f_void BIGINT NOT NULL,
    PRIMARY KEY (district, month, grid, unit)
);
INSERT INTO tally_grid (district, month, grid, unit, s_pending, s_filed, s_case_closed, s_void, f_pending, f_filed, f_case_closed, f_void)
SELECT district, month, grid, unit,
    CAST(SUM(s_pending) AS BIGINT),
    CAST(SUM(s_filed) AS BIGINT),
    CAST(SUM(s_case_closed) AS BIGINT),
    CAST(SUM(s_void) AS BIGINT),
    CAST(SUM(f_pending) AS BIGINT),
    CAST(SUM(f_filed) AS BIGINT),
    CAST(SUM(f_case_closed) AS BIGINT),
    CAST(SUM(f_void) AS BIGINT)
FROM count_month GROUP BY district, month, grid, unit;

-- Days by unit, for the chart of a month and for dates that begin and end anywhere.
-- @clustered
CREATE TABLE tally_unit (
    district TEXT NOT NULL,
    day TEXT NOT NULL,
    unit TEXT NOT NULL,
    s_pending BIGINT NOT NULL,
    s_filed BIGINT NOT NULL,
    s_case_closed BIGINT NOT NULL,
    s_void BIGINT NOT NULL,
    f_pending BIGINT NOT NULL,
    f_filed BIGINT NOT NULL,
    f_case_closed BIGINT NOT NULL,
    f_void BIGINT NOT NULL,
    PRIMARY KEY (district, day, unit)
);
INSERT INTO tally_unit (district, day, unit, s_pending, s_filed, s_case_closed, s_void, f_pending, f_filed, f_case_closed, f_void)
SELECT district, day, unit,
    CAST(SUM(s_pending) AS BIGINT),
    CAST(SUM(s_filed) AS BIGINT),
    CAST(SUM(s_case_closed) AS BIGINT),
    CAST(SUM(s_void) AS BIGINT),
    CAST(SUM(f_pending) AS BIGINT),
    CAST(SUM(f_filed) AS BIGINT),
    CAST(SUM(f_case_closed) AS BIGINT),
    CAST(SUM(f_void) AS BIGINT)
FROM tally_day GROUP BY district, day, unit;
