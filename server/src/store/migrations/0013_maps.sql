-- Months by grid alone, for the map of a district: a year of it is one row per grid and month however many cases there
-- are. With units it is four times that, and each row has to be added up and sorted.
-- @clustered
CREATE TABLE tally_map_month (
    district TEXT NOT NULL,
    month TEXT NOT NULL,
    grid TEXT NOT NULL,
    s_pending BIGINT NOT NULL,
    s_filed BIGINT NOT NULL,
    s_case_closed BIGINT NOT NULL,
    s_void BIGINT NOT NULL,
    f_pending BIGINT NOT NULL,
    f_filed BIGINT NOT NULL,
    f_case_closed BIGINT NOT NULL,
    f_void BIGINT NOT NULL,
    PRIMARY KEY (district, month, grid)
);
INSERT INTO tally_map_month (district, month, grid, s_pending, s_filed, s_case_closed, s_void, f_pending, f_filed, f_case_closed, f_void)
SELECT district, month, grid,
    CAST(SUM(s_pending) AS BIGINT),
    CAST(SUM(s_filed) AS BIGINT),
    CAST(SUM(s_case_closed) AS BIGINT),
    CAST(SUM(s_void) AS BIGINT),
    CAST(SUM(f_pending) AS BIGINT),
    CAST(SUM(f_filed) AS BIGINT),
    CAST(SUM(f_case_closed) AS BIGINT),
    CAST(SUM(f_void) AS BIGINT)
FROM tally_grid GROUP BY district, month, grid;

-- The same per day, for the days at both ends of a period: with units and categories there are nearly as many rows in a
-- busy day as cases.
-- @clustered
CREATE TABLE tally_map_day (
    district TEXT NOT NULL,
    day TEXT NOT NULL,
    grid TEXT NOT NULL,
    s_pending BIGINT NOT NULL,
    s_filed BIGINT NOT NULL,
    s_case_closed BIGINT NOT NULL,
    s_void BIGINT NOT NULL,
    f_pending BIGINT NOT NULL,
    f_filed BIGINT NOT NULL,
    f_case_closed BIGINT NOT NULL,
    f_void BIGINT NOT NULL,
    PRIMARY KEY (district, day, grid)
);
INSERT INTO tally_map_day (district, day, grid, s_pending, s_filed, s_case_closed, s_void, f_pending, f_filed, f_case_closed, f_void)
SELECT district, day, grid,
    CAST(SUM(s_pending) AS BIGINT),
    CAST(SUM(s_filed) AS BIGINT),
    CAST(SUM(s_case_closed) AS BIGINT),
    CAST(SUM(s_void) AS BIGINT),
    CAST(SUM(f_pending) AS BIGINT),
    CAST(SUM(f_filed) AS BIGINT),
    CAST(SUM(f_case_closed) AS BIGINT),
    CAST(SUM(f_void) AS BIGINT)
FROM count_day GROUP BY district, day, grid;
