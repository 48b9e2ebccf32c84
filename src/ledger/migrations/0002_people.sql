-- What people said: of incidents, and of what they want to hear nothing of.
CREATE TABLE people (
    at       INTEGER NOT NULL,
    who      TEXT    NOT NULL,
    said     TEXT    NOT NULL, -- acknowledged, closed, silenced, unsilenced, drill began, drill stopped, drill over
    incident INTEGER,
    silence  TEXT,             -- JSON: which incidents, from when, until when; or the number of the silence that ends
    note     TEXT
);
CREATE INDEX people_by_incident ON people (incident) WHERE incident IS NOT NULL;

CREATE VIEW people_readable AS
SELECT strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS at, who, said, incident, silence, note FROM people;
