//! All of the ledger's SQL: the schema's migrations and every statement. Another database would replace this file and what calls it.

/// Marks the file as a ledger of ours (`PRAGMA application_id`): "mcan" in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x6d63_616e;

/// What brings a file from version n (its place here) to n + 1. Never changed once released, only added to.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_people.sql"),
    include_str!("migrations/0003_alive.sql"),
    include_str!("migrations/0004_headers.sql"),
    include_str!("migrations/0005_mails.sql"),
    include_str!("migrations/0006_hops.sql"),
    include_str!("migrations/0007_filter.sql"),
    include_str!("migrations/0008_cut.sql"),
];

/// What every connection is set to before the file's first page is read.
/// `synchronous = FULL`: a commit in WAL mode is on the disk when it returns. `cell_size_check`: a damaged page is noticed when it is read.
/// `cache_size`: 4 MiB, so that a long history does not grow an idle daemon. `journal_size_limit`: the WAL shrinks again after a burst.
/// `auto_vacuum` holds only when it is said before a new file's first table.
pub(super) const CONNECT: &str = "
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -4096;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA temp_store = MEMORY;
";

/// How many tables, indices and views there are: none in a new file.
pub(super) const OBJECTS: &str = "SELECT count(*) FROM sqlite_schema";
/// Moves the WAL into the file and empties it. Its first column is 1 if a reader stood in the way.
pub(super) const EMPTY_WAL: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// How many bytes the file should have.
pub(super) const FILE_SIZE: &str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";

/// The tables that are small enough to be checked whole at every start.
pub(super) const CHECKED: [&str; 3] = ["PRAGMA quick_check(checkpoints)", "PRAGMA quick_check(incidents)", "PRAGMA quick_check(starts)"];
/// The newest rows of the large tables, where the next ones will stand: reading them walks the right edge of each tree.
pub(super) const EDGES: [&str; 6] = [
    "SELECT * FROM records ORDER BY seq DESC LIMIT 100",
    "SELECT * FROM canaries ORDER BY rowid DESC LIMIT 100",
    "SELECT * FROM sightings ORDER BY id DESC LIMIT 100",
    "SELECT * FROM sight ORDER BY id DESC LIMIT 100",
    "SELECT * FROM notices ORDER BY id DESC LIMIT 100",
    "SELECT * FROM deliveries ORDER BY notice DESC LIMIT 100",
];

pub(super) const STARTED: &str = "INSERT INTO starts (at, version) VALUES (?1, ?2)";
pub(super) const OLD_STARTS: &str = "DELETE FROM starts WHERE id <= (SELECT max(id) FROM starts) - 1000";

pub(super) const LAST_SEQ: &str =
    "SELECT max(coalesce((SELECT max(seq) FROM records), 0), coalesce((SELECT max(seq) FROM checkpoints), 0))";
pub(super) const CHECKPOINTS: &str = "SELECT seq, sha256, state FROM checkpoints ORDER BY seq DESC";
pub(super) const RECORDS_AFTER: &str = "SELECT seq, at, body, sum FROM records WHERE seq > ?1 ORDER BY seq";
pub(super) const RECORDS: &str = "SELECT seq, at, body, sum FROM records ORDER BY seq";
/// How many records are kept, and when the first and the last of them were written.
pub(super) const EXTENT: &str = "SELECT count(*), (SELECT at FROM records WHERE seq = (SELECT min(seq) FROM records)),
    (SELECT at FROM records WHERE seq = (SELECT max(seq) FROM records)) FROM records";
/// Begins to read: what is written from now on is not seen.
pub(super) const LOOK_BACK: &str = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; BEGIN";
pub(super) const ALIVE: &str = "INSERT OR REPLACE INTO alive (id, at) VALUES (1, ?1)";
pub(super) const ADD_RECORD: &str = "INSERT INTO records (seq, at, kind, body, sum) VALUES (?1, ?2, ?3, ?4, ?5)";
pub(super) const PERSON: &str = "INSERT INTO people (at, who, said, incident, silence, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
pub(super) const ADD_CHECKPOINT: &str = "INSERT OR REPLACE INTO checkpoints (seq, sha256, state) VALUES (?1, ?2, ?3)";
pub(super) const OLD_CHECKPOINTS: &str = "DELETE FROM checkpoints WHERE seq NOT IN (SELECT seq FROM checkpoints ORDER BY seq DESC LIMIT 2)";

pub(super) const SENT: &str = "INSERT OR IGNORE INTO canaries (id, provider, stream, inbox, reason, sent_at, state)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'in flight')";
/// A refusal does not undo an arrival that was seen before the provider's answer.
pub(super) const ANSWERED: &str = "UPDATE canaries SET answered_at = ?2, outcome = ?3, class = ?4, reply = ?5, message_id = ?6,
        connect_ms = ?7, tls_ms = ?8, auth_ms = ?9, data_ms = ?10,
        state = CASE WHEN ?3 = 'refused' AND state = 'in flight' THEN 'refused' ELSE state END
    WHERE id = ?1";
pub(super) const ORPHANED: &str = "UPDATE canaries SET answered_at = ?2, outcome = 'unknown' WHERE id = ?1 AND outcome IS NULL";
pub(super) const ARRIVED: &str = "UPDATE canaries SET arrived_at = ?3, seen_at = ?4, placement = ?5, copy = ?6,
        state = CASE WHEN lost_at IS NULL THEN 'arrived' ELSE 'late' END
    WHERE id = ?1 AND inbox = ?2 AND arrived_at IS NULL";
/// A further copy. The first one read again is none.
pub(super) const COPY: &str = "INSERT OR IGNORE INTO sightings (canary, inbox, arrived_at, seen_at, placement, copy, kind)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, CASE WHEN EXISTS (SELECT 1 FROM canaries WHERE id = ?1 AND inbox = ?2) THEN 'duplicate' ELSE 'replayed' END
    WHERE NOT EXISTS (SELECT 1 FROM canaries WHERE id = ?1 AND inbox = ?2 AND copy = ?6)";
pub(super) const STRANGE: &str = "INSERT INTO sightings (kind, inbox, seen_at) VALUES (?1, ?2, ?3)";
pub(super) const MISMATCHED: &str = "INSERT INTO sightings (canary, kind, inbox, seen_at) VALUES (?1, 'mismatched', ?2, ?3)";
pub(super) const LOST: &str = "UPDATE canaries SET lost_at = ?2,
        state = CASE state WHEN 'in flight' THEN 'lost' WHEN 'arrived' THEN 'late' ELSE state END
    WHERE id = ?1";
pub(super) const FORGOTTEN: &str = "UPDATE canaries SET forgotten_at = ?2,
        state = CASE state WHEN 'in flight' THEN 'forgotten' ELSE state END
    WHERE id = ?1";
/// Only what differs from the last word on the same inbox: a reader that fails every 30 s makes one row.
pub(super) const SIGHT: &str = "INSERT INTO sight (at, inbox, what, class, why) SELECT ?1, ?2, ?3, ?4, ?5
    WHERE NOT EXISTS (SELECT 1 FROM sight WHERE id = (SELECT max(id) FROM sight WHERE inbox IS ?2)
        AND what = ?3 AND class IS ?4 AND why IS ?5)";
pub(super) const INCIDENT: &str =
    "INSERT INTO incidents (id, kind, severity, culprit, opened_at, updated_at, resolved_at, summary, evidence)
    VALUES (?1, ?2, ?3, ?4, ?5, ?5, CASE WHEN ?6 THEN ?5 END, ?7, ?8)
    ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, severity = excluded.severity, culprit = excluded.culprit,
        updated_at = excluded.updated_at, resolved_at = excluded.resolved_at, summary = excluded.summary, evidence = excluded.evidence";
pub(super) const NOTICE: &str =
    "INSERT OR REPLACE INTO notices (id, incident, change, severity, at, summary, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
pub(super) const DELIVERY: &str = "INSERT OR REPLACE INTO deliveries (notice, sink, outcome, at) VALUES (?1, ?2, ?3, ?4)";

/// What is kept of one incident.
pub(super) const INCIDENT_ENDS: &str = "SELECT opened_at, resolved_at FROM incidents WHERE id = ?1";
pub(super) const NOTICES_OF: &str = "SELECT at, body FROM notices WHERE incident = ?1 ORDER BY id LIMIT ?2";
pub(super) const DELIVERIES_OF: &str = "SELECT notice, sink, outcome, at FROM deliveries
    WHERE notice IN (SELECT id FROM notices WHERE incident = ?1) ORDER BY notice, sink";
pub(super) const PEOPLE_OF: &str = "SELECT at, who, said, note FROM people WHERE incident = ?1 ORDER BY at LIMIT ?2";
pub(super) const SIGHT_BETWEEN: &str = "SELECT at, inbox, what, why FROM sight WHERE at BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3";
pub(super) const STARTS_BETWEEN: &str = "SELECT at, version FROM starts WHERE at BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3";
/// All states there are, so that the index by state and time is used.
pub(super) const CANARIES_BETWEEN: &str =
    "SELECT id, provider, stream, inbox, sent_at, state, outcome, class, reply, message_id, answered_at,
    arrived_at, placement, lost_at FROM canaries
    WHERE state IN ('arrived', 'in flight', 'late', 'lost', 'refused', 'forgotten') AND sent_at BETWEEN ?1 AND ?2 ORDER BY sent_at, id";
/// The same of one.
pub(super) const CANARY_IN_SHORT: &str =
    "SELECT id, provider, stream, inbox, sent_at, state, outcome, class, reply, message_id, answered_at,
    arrived_at, placement, lost_at FROM canaries WHERE id = ?1";
/// The same of the one over a route that was seen last at ?1, and was not sent before ?2.
pub(super) const SEEN_BEFORE: &str = "SELECT id, provider, stream, inbox, sent_at, state, outcome, class, reply, message_id, answered_at,
    arrived_at, placement, lost_at FROM canaries
    WHERE state IN ('arrived', 'late') AND sent_at BETWEEN ?2 AND ?1 AND seen_at <= ?1 AND provider = ?3 AND stream = ?4 AND inbox = ?5
    ORDER BY seen_at DESC LIMIT 1";
/// Found by walking back from ?1, which is soon where mail arrived before.
pub(super) const LAST_GOOD: &str = "SELECT sent_at FROM canaries
    WHERE state = 'arrived' AND placement IS NOT 'junk' AND sent_at < ?1 AND provider = ?2 AND stream = ?3 AND inbox = ?4 ORDER BY sent_at DESC LIMIT 1";
pub(super) const HEADER: &str = "INSERT OR IGNORE INTO headers (at, canary, header) VALUES (?1, ?2, ?3)";
/// The newest 2,000 stay: at 16 KiB each 32 MiB, and mostly a quarter of that.
pub(super) const OLD_HEADERS: &str = "DELETE FROM headers WHERE id <= (SELECT max(id) FROM headers) - 2000";
pub(super) const MAIL: &str = "UPDATE headers SET mail = ?2 WHERE canary = ?1";
pub(super) const HOPS: &str = "UPDATE canaries SET hops = ?2, filter = ?4, cut = ?5
    WHERE id = ?1 AND inbox = ?3 AND hops IS NULL AND filter IS NULL AND cut IS NULL";
pub(super) const HOPS_OF: &str = "SELECT hops FROM canaries WHERE id = ?1";
pub(super) const FILTER_OF: &str = "SELECT filter FROM canaries WHERE id = ?1";
pub(super) const CUT_OF: &str = "SELECT cut FROM canaries WHERE id = ?1";
pub(super) const HEADERS_BETWEEN: &str =
    "SELECT c.id, c.provider, c.stream, c.inbox, c.sent_at, c.arrived_at, c.state, c.placement, h.header, h.mail
    FROM headers AS h JOIN canaries AS c ON c.id = h.canary WHERE h.at BETWEEN ?1 AND ?2 ORDER BY h.id LIMIT ?3";
/// The same of a file that an older version has written.
pub(super) const BARE_HEADERS_BETWEEN: &str =
    "SELECT c.id, c.provider, c.stream, c.inbox, c.sent_at, c.arrived_at, c.state, c.placement, h.header, NULL
    FROM headers AS h JOIN canaries AS c ON c.id = h.canary WHERE h.at BETWEEN ?1 AND ?2 ORDER BY h.id LIMIT ?3";
pub(super) const TRACED_SINCE: &str = "SELECT at, body FROM records WHERE kind = 'traced' AND at BETWEEN ?1 AND ?2 ORDER BY seq LIMIT ?3";

/// What people ask of the past. All states there are, so that the index by state and time is used.
pub(super) const POINTS: &str = "SELECT id, sent_at, state, placement, arrived_at FROM canaries
    WHERE state IN ('arrived', 'in flight', 'late', 'lost', 'refused', 'forgotten') AND sent_at >= ?1 AND sent_at < ?2
        AND provider = ?3 AND stream = ?4 AND inbox = ?5 ORDER BY sent_at DESC LIMIT ?6";
/// See [`POINTS`]. ?7 and ?8: the last of the page before; without one, ?2 and nothing.
pub(super) const CANARIES_LIKE: &str =
    "SELECT id, provider, stream, inbox, reason, sent_at, state, outcome, class, reply, message_id, answered_at,
    connect_ms, tls_ms, auth_ms, data_ms, arrived_at, seen_at, placement, copy, lost_at, forgotten_at FROM canaries
    WHERE state IN ('arrived', 'in flight', 'late', 'lost', 'refused', 'forgotten') AND sent_at >= ?1 AND sent_at < ?2 AND sent_at <= ?7
        AND (?3 IS NULL OR provider = ?3) AND (?4 IS NULL OR stream = ?4) AND (?5 IS NULL OR inbox = ?5) AND (?6 IS NULL OR state = ?6)
        AND (sent_at < ?7 OR id < ?8) ORDER BY sent_at DESC, id DESC LIMIT ?9";
pub(super) const CANARY: &str =
    "SELECT id, provider, stream, inbox, reason, sent_at, state, outcome, class, reply, message_id, answered_at,
    connect_ms, tls_ms, auth_ms, data_ms, arrived_at, seen_at, placement, copy, lost_at, forgotten_at FROM canaries WHERE id = ?1";
pub(super) const SIGHTINGS_OF: &str =
    "SELECT kind, inbox, placement, arrived_at, seen_at FROM sightings WHERE canary = ?1 ORDER BY id LIMIT ?2";
/// When mailcanary was started or woke up, and what it had sent last before, if that is kept. Each state there is, so that the index by state and
/// time is used.
pub(super) const PAUSES: &str = "SELECT last, until FROM (SELECT w.at AS until,
        (SELECT max((SELECT max(sent_at) FROM canaries WHERE state = s.column1 AND sent_at < w.at))
            FROM (VALUES ('arrived'), ('in flight'), ('late'), ('lost'), ('refused'), ('forgotten')) AS s) AS last
        FROM (SELECT at FROM starts UNION SELECT at FROM sight WHERE what = 'slept' AND inbox IS NULL) AS w)
    WHERE last IS NOT NULL AND until - last >= ?1 ORDER BY until DESC LIMIT ?2";
/// ?3 a kind, ?4 whether it is open, ?5 the name of a provider, stream or inbox that its culprit has: each may be NULL. A culprit is `stream:a/s`.
pub(super) const INCIDENTS_BEFORE: &str = "SELECT id, kind, severity, culprit, opened_at, updated_at, resolved_at, summary,
    CASE WHEN json_valid(evidence) THEN CAST(json_extract(evidence, '$.since') AS TEXT) END FROM incidents
    WHERE id < ?1 AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR (resolved_at IS NULL) = ?4)
        AND (?5 IS NULL OR instr('/' || substr(culprit, instr(culprit, ':') + 1) || '/', '/' || ?5 || '/') > 0)
    ORDER BY id DESC LIMIT ?2";

/// What may go, each at most ?2 rows at a time and each found without reading more than that. ?1 is the age's limit.
pub(super) const PRUNE_ARRIVED: &str = "DELETE FROM canaries WHERE rowid IN
    (SELECT rowid FROM canaries WHERE state = 'arrived' AND sent_at < ?1 ORDER BY sent_at LIMIT ?2)";
/// See [`PRUNE_ARRIVED`]: all that did not simply arrive.
pub(super) const PRUNE_FAILED: [&str; 9] = [
    "DELETE FROM canaries WHERE rowid IN (SELECT rowid FROM canaries
        WHERE state IN ('in flight', 'late', 'lost', 'refused', 'forgotten') AND sent_at < ?1 LIMIT ?2)",
    "DELETE FROM sightings WHERE id <= (SELECT max(id) FROM (SELECT id, seen_at FROM sightings ORDER BY id LIMIT ?2) WHERE seen_at < ?1)",
    "DELETE FROM headers WHERE id <= (SELECT max(id) FROM (SELECT id, at FROM headers ORDER BY id LIMIT ?2) WHERE at < ?1)",
    "DELETE FROM sight WHERE id <= (SELECT max(id) FROM (SELECT id, at FROM sight ORDER BY id LIMIT ?2) WHERE at < ?1)",
    "DELETE FROM deliveries WHERE notice <= (SELECT max(id) FROM (SELECT id, at FROM notices ORDER BY id LIMIT ?2 / 4) WHERE at < ?1)",
    "DELETE FROM notices WHERE id <= (SELECT max(id) FROM (SELECT id, at FROM notices ORDER BY id LIMIT ?2 / 4) WHERE at < ?1)",
    "DELETE FROM people WHERE rowid <= (SELECT max(rowid) FROM (SELECT rowid, at FROM people ORDER BY rowid LIMIT ?2) WHERE at < ?1)",
    "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE resolved_at < ?1 LIMIT ?2)",
    // An answer that came for a notice that had gone already.
    "DELETE FROM deliveries WHERE (notice, sink) IN
        (SELECT notice, sink FROM deliveries WHERE notice < (SELECT min(id) FROM notices) AND at < ?1 LIMIT ?2)",
];
/// Records that no kept checkpoint needs, from the beginning and without leaving gaps.
pub(super) const PRUNE_RECORDS: &str = "DELETE FROM records WHERE seq <= (SELECT max(seq) FROM
    (SELECT seq, at FROM records WHERE seq <= (SELECT min(seq) FROM checkpoints) ORDER BY seq LIMIT ?2) WHERE at < ?1)";
/// Gives freed pages back to the file system, at most this many at a time.
pub(super) const VACUUM: &str = "PRAGMA incremental_vacuum(500)";
