-- Categories no new report may have (停用). The bundle is fetched again with the next sync: an app from before this took no
-- notice of which are.
ALTER TABLE category ADD COLUMN retired INTEGER NOT NULL DEFAULT 0;
UPDATE phone SET reference = 0;
