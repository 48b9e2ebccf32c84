-- What the receiver's filter wrote of its mail, as JSON: a list of texts, a field each; absent where it wrote nothing or was not looked at.
ALTER TABLE canaries ADD COLUMN filter TEXT;
