-- Photos a phone offered for a case although another person's phone named them there, or nobody yet: after a restore the
-- words that name a photo may come from a colleague's phone, before its own. Whoever sends all bytes of a photo and offered
-- it for a case completes it there, as the one who named it does. `expire` removes what has done its work.
-- @clustered
CREATE TABLE photo_offer (
    case_id BLOB NOT NULL CHECK (length(case_id) = 16),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    user_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (case_id, sha256, user_id)
);
CREATE INDEX photo_offer_user ON photo_offer (user_id);
