-- What stood in the headers of a few canaries that arrived: late, in Junk, or the last before an incident was opened or ended. Without tokens.
CREATE TABLE headers (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL, -- when it was written down
    canary TEXT    NOT NULL UNIQUE,
    header TEXT    NOT NULL
);
