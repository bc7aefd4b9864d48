-- Categories that are no longer given to new cases (停用). Cases that have one keep it, and lists, filters and counts too.
ALTER TABLE taxonomy ADD COLUMN retired BIGINT NOT NULL DEFAULT 0 CHECK (retired IN (0, 1));
