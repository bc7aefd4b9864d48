-- Number of each phone's newest sync request, and the number whose answer it said it had heard then. The next request has
-- to have heard one of the two; anything else comes from a copy of the phone.
-- @clustered
CREATE TABLE device_heard (
    device BLOB PRIMARY KEY CHECK (length(device) = 16),
    sync_counter BIGINT NOT NULL,
    heard_counter BIGINT NOT NULL
);
