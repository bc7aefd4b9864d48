-- Business day (days since 1970) of the last count of everything in view that ended; 0 while this phone does not count, 1 when
-- something on this phone was found damaged and the next sync is to look.
ALTER TABLE phone ADD COLUMN census_day INTEGER NOT NULL DEFAULT 0;
