-- 1: its mail was longer than what is looked at, and what stands behind that was not read; absent where it was read to its end or not at all.
ALTER TABLE canaries ADD COLUMN cut INTEGER;
