-- Months by street, unit and category: a year of a street by category is thirty times less than with its grids. The
-- street comes before the month, so that the months of a street are one range of the key. It is the first nine digits of
-- the grid's code: a place lies where its digits say, so no grid can move to another street and keep its code. A case
-- without a grid has '' here too.
-- @clustered
CREATE TABLE tally_street (
    district TEXT NOT NULL,
    street TEXT NOT NULL,
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
    PRIMARY KEY (district, street, month, unit, category)
);
INSERT INTO tally_street (district, street, month, unit, category, s_pending, s_filed, s_case_closed, s_void, f_pending, f_filed, f_case_closed, f_void)
SELECT district, substr(grid, 1, 9), month, unit, category,
    CAST(SUM(s_pending) AS BIGINT),
    CAST(SUM(s_filed) AS BIGINT),
    CAST(SUM(s_case_closed) AS BIGINT),
    CAST(SUM(s_void) AS BIGINT),
    CAST(SUM(f_pending) AS BIGINT),
    CAST(SUM(f_filed) AS BIGINT),
    CAST(SUM(f_case_closed) AS BIGINT),
    CAST(SUM(f_void) AS BIGINT)
FROM count_month GROUP BY district, substr(grid, 1, 9), month, unit, category;
