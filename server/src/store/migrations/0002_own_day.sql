-- The figures of a reviewer's own day, read with every page of the review queue: a scan of all events would grow with
-- the district. Partial, because phones write most events and nobody asks for an inspector's day this way.
CREATE INDEX case_event_desk ON case_event (actor, at) WHERE role = 'town_office';
