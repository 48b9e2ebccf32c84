-- When mailcanary last proved that it can write here, for want of anything else to write. One row, and only where heartbeats are sent.
CREATE TABLE alive (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
);
