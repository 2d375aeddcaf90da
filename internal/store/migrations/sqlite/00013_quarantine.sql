-- +goose Up
-- Rows of imports that the platform rejected. They are customer data: bounded in
-- number and in days.
CREATE TABLE quarantine (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    import_key      TEXT NOT NULL, -- the key of the import's cursor
    job_id          TEXT NOT NULL,
    run_id          TEXT NOT NULL,
    stream          TEXT NOT NULL,
    event_id        TEXT NOT NULL, -- of the rejected event, or of the first of a range
    event_time      INTEGER NOT NULL, -- microseconds since 1970
    last_event_id   TEXT NOT NULL, -- of the last event of a range; empty for one event
    last_event_time INTEGER NOT NULL,
    events          INTEGER NOT NULL, -- the length of the range; 1 for one event
    rejected        INTEGER NOT NULL, -- how many of these were rejected
    reason          TEXT NOT NULL,
    bytes           INTEGER NOT NULL, -- the length of the row's JSON
    data_kept       INTEGER NOT NULL, -- 1 if content has the row's JSON
    sealed          INTEGER NOT NULL, -- 1 if content is encrypted
    content         BLOB NOT NULL, -- the row's key and JSON
    claim           TEXT NOT NULL DEFAULT '', -- of the process that sends it again
    claimed_until   INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX quarantine_event ON quarantine (import_key, event_id, last_event_id);
CREATE INDEX quarantine_job ON quarantine (job_id);
CREATE INDEX quarantine_run ON quarantine (run_id);
CREATE INDEX quarantine_age ON quarantine (created_at);
-- How many rows left an import's quarantine unsent.
CREATE TABLE quarantine_removed (
    import_key TEXT PRIMARY KEY,
    over_limit INTEGER NOT NULL,
    expired    INTEGER NOT NULL
) STRICT;
-- How many rows of a run were rejected: written with the cursor, so that it is
-- exact whatever process executes the run.
ALTER TABLE runs ADD COLUMN rejected INTEGER NOT NULL DEFAULT 0;
