-- Proof number of the newest request whose answer was taken in. A copy of this phone can not know it.
ALTER TABLE phone ADD COLUMN heard INTEGER NOT NULL DEFAULT 0;
