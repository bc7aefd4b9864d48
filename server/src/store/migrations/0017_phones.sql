-- Since when the oldest of what is still on a phone has been there, by the clock of the server; none while nothing waits, and of
-- phones that did not say.
ALTER TABLE device ADD COLUMN waiting_since BIGINT;

-- The grids whose cases a phone may hold: those its user walked at its last contacts. told is the number of the first request
-- whose answer named the cases of a grid that is walked no more; once the phone has heard that answer, the row goes. A phone
-- that joined before this table began holds what its user walks now.
-- @clustered
CREATE TABLE device_view (
    device BLOB NOT NULL,
    grid TEXT NOT NULL,
    told BIGINT,
    PRIMARY KEY (device, grid)
);
INSERT INTO device_view (device, grid)
SELECT d.id, g.grid FROM device d JOIN user_grid g ON g.user_id = d.user_id;

-- What has been put aside for too long, found without reading what it is.
CREATE INDEX quarantine_at ON quarantine (at);
