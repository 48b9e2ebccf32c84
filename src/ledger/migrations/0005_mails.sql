-- What was found in the mail beside the header: hops, checks and marks, as JSON; absent where it was not looked at.
ALTER TABLE headers ADD COLUMN mail TEXT;
