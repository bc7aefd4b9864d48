-- Case numbers are found by pieces of four digits instead of pairs, so the index is made anew: the table goes with its
-- fifty rows to a case, and the mark has it filled when the database is opened.
DROP TABLE case_gram;

-- Which cases have which pair of characters in their text, and which piece of a number in text or number
-- (domain/cases/search.rs).
-- @clustered
CREATE TABLE case_gram (
    gram TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    PRIMARY KEY (gram, ordinal)
);
DELETE FROM meta WHERE key = 'search_filled_to';
INSERT INTO meta (key, value) SELECT 'search_filled_to', '' WHERE EXISTS (SELECT 1 FROM case_row);
