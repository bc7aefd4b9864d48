-- The link as the app last described it, and the inspector's rules for photos and previews (JSON).
ALTER TABLE phone ADD COLUMN link TEXT NOT NULL DEFAULT 'unmetered';
ALTER TABLE phone ADD COLUMN data_rules TEXT NOT NULL DEFAULT '{}';
-- Bytes of mobile data, up and down, by local month of the phone's clock.
CREATE TABLE mobile_data (
    month         TEXT PRIMARY KEY,              -- 2023-11
    bytes         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
