-- Small pictures that phones send ahead of photos: shown until the photo itself is here, then removed, and never counted.
-- `bytes` is none until all of it came and its hash was checked. Only a phone of the person whose phone announced the
-- photo may send one, so nobody can put a picture under another's photo.
-- @clustered
CREATE TABLE photo_preview (
    device BLOB NOT NULL CHECK (length(device) = 16),
    photo BLOB NOT NULL CHECK (length(photo) = 32),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    size_bytes BIGINT NOT NULL,
    at BIGINT NOT NULL,
    bytes BLOB,
    PRIMARY KEY (device, photo)
);
CREATE INDEX photo_preview_photo ON photo_preview (photo);
