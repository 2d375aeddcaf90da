-- +goose Up
-- What somebody is to be told, once, by whichever runner comes first.
CREATE TABLE alerts (
    id         TEXT PRIMARY KEY, -- says of what, so that nothing is told twice
    kind       TEXT NOT NULL,    -- failure, stale
    job_id     TEXT NOT NULL,
    run_id     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    next_at    INTEGER NOT NULL, -- tried then; a runner that tries holds it back meanwhile
    done_at    INTEGER           -- delivered, or given up
) STRICT;
CREATE INDEX alerts_open ON alerts (next_at) WHERE done_at IS NULL;
CREATE INDEX runs_failed ON runs (finished_at) WHERE status = 'failed';
