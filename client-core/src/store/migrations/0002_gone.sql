-- A case that left the user's view while work of this phone was still on it is forgotten as soon as that is done;
-- until then nothing else would tell that it has to go.
ALTER TABLE case_local ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
CREATE INDEX case_gone ON case_local (ord) WHERE gone = 1;
