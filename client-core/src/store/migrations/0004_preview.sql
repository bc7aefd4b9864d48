-- Photos whose preview the server holds, or will never take: it is not offered again. A row ends with its photo's upload.
-- A table of its own, because a column behind photo.preview could only be read by reading the preview.
CREATE TABLE preview_out (
    sha256        BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
