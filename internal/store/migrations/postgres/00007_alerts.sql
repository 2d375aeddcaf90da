-- +goose Up
-- What somebody is to be told, once, by whichever runner comes first.
CREATE TABLE alerts (
    id         TEXT COLLATE "C" PRIMARY KEY, -- says of what, so that nothing is told twice
    kind       TEXT NOT NULL,                -- failure, stale
    job_id     TEXT COLLATE "C" NOT NULL,
    run_id     TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    next_at    BIGINT NOT NULL, -- tried then; a runner that tries holds it back meanwhile
    done_at    BIGINT           -- delivered, or given up
);
CREATE INDEX alerts_open ON alerts (next_at) WHERE done_at IS NULL;
CREATE INDEX runs_failed ON runs (finished_at) WHERE status = 'failed';
