-- What reporters object to (申诉), found without looking at everything that was ever decided.
--
-- `appealed_at` is when the open appeal was made: none where nobody objects, or where a duty leader has answered. It
-- follows the projection; appeals from before are filled when the database is opened (domain/cases/fill.rs), which is
-- what the mark is for.
ALTER TABLE case_row ADD COLUMN appealed_at BIGINT;
INSERT INTO meta (key, value) SELECT 'appeals_to_fill', '' WHERE EXISTS (SELECT 1 FROM case_row);

-- Few cases have an open appeal, so this stays small however many cases there are.
CREATE INDEX case_row_appeal ON case_row (district, appealed_at, id) WHERE appealed_at IS NOT NULL;
