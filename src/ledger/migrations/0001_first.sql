-- The ledger's first shape. Times are milliseconds since 1970 (UTC); the views at the end write them as RFC 3339.

-- What the watchdog's state is rebuilt from. `sum` tells a changed byte: the first 63 bits of SHA-256 over seq, at and body.
CREATE TABLE records (
    seq  INTEGER PRIMARY KEY,
    at   INTEGER NOT NULL,
    kind TEXT    NOT NULL,
    body TEXT    NOT NULL,
    sum  INTEGER NOT NULL
);

-- The state after record `seq`, so that a start need not read all records. The last two are kept.
CREATE TABLE checkpoints (
    seq    INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL,
    state  TEXT NOT NULL
);

-- When mailcanary was started. The last 1,000 are kept.
CREATE TABLE starts (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    version TEXT    NOT NULL
);

-- One row a canary. Kept current with `records`, in the same transaction.
CREATE TABLE canaries (
    id           TEXT    PRIMARY KEY NOT NULL,
    provider     TEXT    NOT NULL,
    stream       TEXT    NOT NULL,
    inbox        TEXT    NOT NULL,
    reason       TEXT    NOT NULL, -- routine, confirmation
    sent_at      INTEGER NOT NULL,
    state        TEXT    NOT NULL, -- in flight, arrived, late (after it was lost), lost, refused, forgotten (never seen, and not looked for any more)
    outcome      TEXT,             -- accepted, refused, unknown; NULL while being submitted
    class        TEXT,             -- of a refusal
    reply        TEXT,             -- the provider's own words
    message_id   TEXT,             -- the provider's
    answered_at  INTEGER,
    connect_ms   INTEGER,
    tls_ms       INTEGER,
    auth_ms      INTEGER,
    data_ms      INTEGER,
    arrived_at   INTEGER,          -- by the receiver's clock
    seen_at      INTEGER,          -- by ours
    placement    TEXT,             -- inbox, junk, other
    copy         TEXT,             -- folder/UIDVALIDITY/UID
    lost_at      INTEGER,          -- when its deadline passed
    forgotten_at INTEGER
);
CREATE INDEX canaries_by_state ON canaries (state, sent_at);

-- Tokens seen besides a canary's first arrival.
CREATE TABLE sightings (
    id         INTEGER PRIMARY KEY,
    kind       TEXT    NOT NULL, -- duplicate (again in its own inbox), replayed (in another one), stale (past what is remembered), forged (not ours)
    canary     TEXT,             -- NULL if stale or forged
    inbox      TEXT    NOT NULL,
    placement  TEXT,
    arrived_at INTEGER,
    seen_at    INTEGER NOT NULL,
    copy       TEXT
);
CREATE UNIQUE INDEX sightings_by_copy ON sightings (canary, inbox, copy);

-- One row a change of sight: of an inbox, or of the watcher itself (inbox is NULL).
CREATE TABLE sight (
    id    INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,
    inbox TEXT,
    what  TEXT    NOT NULL, -- blind, sight; cut off, connected, slept, clock jumped
    class TEXT,
    why   TEXT
);
CREATE INDEX sight_by_inbox ON sight (inbox);

-- One row an incident, as it was told of last.
CREATE TABLE incidents (
    id          INTEGER PRIMARY KEY,
    kind        TEXT    NOT NULL,
    severity    TEXT    NOT NULL,
    culprit     TEXT    NOT NULL, -- provider:a, stream:a/s, inbox:i, route:a/s/i, watcher
    opened_at   INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    resolved_at INTEGER,
    summary     TEXT    NOT NULL,
    evidence    TEXT    NOT NULL  -- JSON
);

-- What was told of incidents.
CREATE TABLE notices (
    id       INTEGER PRIMARY KEY,
    incident INTEGER NOT NULL,
    change   TEXT    NOT NULL, -- opened, updated, reminder, resolved
    severity TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    summary  TEXT    NOT NULL,
    body     TEXT    NOT NULL  -- JSON: the whole notice
);

-- To whom, and how that ended.
CREATE TABLE deliveries (
    notice  INTEGER NOT NULL,
    sink    TEXT    NOT NULL,
    outcome TEXT    NOT NULL, -- pending, delivered, refused, dropped
    at      INTEGER NOT NULL, -- since when
    PRIMARY KEY (notice, sink)
) WITHOUT ROWID;

CREATE VIEW canaries_readable AS
SELECT id,
       provider || '/' || stream || '/' || inbox AS route,
       reason,
       strftime('%Y-%m-%dT%H:%M:%fZ', sent_at / 1000.0, 'unixepoch') AS sent,
       state,
       outcome,
       class,
       placement,
       max(0, arrived_at - sent_at) / 1000.0 AS latency_s,
       max(0, seen_at - arrived_at) / 1000.0 AS observation_s,
       strftime('%Y-%m-%dT%H:%M:%fZ', arrived_at / 1000.0, 'unixepoch') AS arrived,
       strftime('%Y-%m-%dT%H:%M:%fZ', lost_at / 1000.0, 'unixepoch') AS lost,
       reply,
       message_id
FROM canaries;

CREATE VIEW incidents_readable AS
SELECT id,
       kind,
       severity,
       culprit,
       strftime('%Y-%m-%dT%H:%M:%fZ', opened_at / 1000.0, 'unixepoch') AS opened,
       strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch') AS updated,
       strftime('%Y-%m-%dT%H:%M:%fZ', resolved_at / 1000.0, 'unixepoch') AS resolved,
       (resolved_at - opened_at) / 1000.0 AS lasted_s,
       summary,
       evidence
FROM incidents;

CREATE VIEW open_incidents AS
SELECT id, kind, severity, culprit, opened, updated, summary, evidence FROM incidents_readable WHERE resolved IS NULL;

CREATE VIEW notices_readable AS
SELECT n.id,
       n.incident,
       n.change,
       n.severity,
       strftime('%Y-%m-%dT%H:%M:%fZ', n.at / 1000.0, 'unixepoch') AS told,
       d.sink,
       d.outcome,
       strftime('%Y-%m-%dT%H:%M:%fZ', d.at / 1000.0, 'unixepoch') AS since,
       n.summary
FROM notices AS n LEFT JOIN deliveries AS d ON d.notice = n.id;

CREATE VIEW sight_readable AS
SELECT strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS at, coalesce(inbox, 'the watcher') AS whose, what, class, why FROM sight;
