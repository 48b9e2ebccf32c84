-- By which hosts its mail came, and when, as JSON: the first and the last 16; absent where it was not looked at.
ALTER TABLE canaries ADD COLUMN hops TEXT;
