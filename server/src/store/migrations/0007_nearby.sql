-- The case that a void or merged one repeats (master_case_id of its ledger, as text), so that the page of that case can
-- name everybody who reported it. Older rows are filled from their ledger, whose texts can not hold a bare quote.
ALTER TABLE case_row ADD COLUMN master_case TEXT;
UPDATE case_row SET master_case = (
    WITH RECURSIVE place (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM place WHERE at < 60000)
    SELECT MIN(substr(ledger, at + 18, 26)) FROM place WHERE substr(ledger, at, 18) = '"master_case_id":"')
WHERE ledger LIKE '%"master_case_id":"%';
CREATE INDEX case_row_master ON case_row (master_case) WHERE master_case IS NOT NULL;
-- Reports of one kind in one place within some days: a day is an equation and a latitude a range, so what is read does
-- not grow with the years a district has been at work.
CREATE INDEX case_row_nearby ON case_row (district, category, received_day, lat_e6) WHERE lat_e6 IS NOT NULL;
