-- +goose Up
-- A shared run is executed by the first runner that claims it; any other run by the
-- process that queued it.
ALTER TABLE runs ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN planned_at INTEGER; -- the occurrence of the schedule
ALTER TABLE runs ADD COLUMN missed INTEGER NOT NULL DEFAULT 0; -- number of earlier occurrences that it replaces
ALTER TABLE runs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
ALTER TABLE runs ADD COLUMN runner TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN available_at INTEGER NOT NULL DEFAULT 0; -- it cannot be claimed earlier
ALTER TABLE runs ADD COLUMN dispatched_at INTEGER; -- when it was put into the queue
ALTER TABLE runs ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0; -- it waits for another run, which requeues it at its end

-- At most one run for each occurrence.
CREATE UNIQUE INDEX runs_planned ON runs (job_id, planned_at);
CREATE INDEX runs_active ON runs (job_id) WHERE status IN ('queued', 'waiting_for_warehouse', 'running');
CREATE INDEX runs_executing ON runs (authorization_id) WHERE status IN ('waiting_for_warehouse', 'running');
CREATE INDEX runs_waiting ON runs (authorization_id, created_at) WHERE status = 'queued' AND blocked = 1;
CREATE INDEX runs_lease ON runs (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX runs_ready ON runs (available_at) WHERE status = 'queued' AND shared = 1 AND blocked = 0 AND dispatched_at IS NULL;
CREATE INDEX runs_succeeded ON runs (job_id, finished_at) WHERE status = 'succeeded';
CREATE INDEX runs_created ON runs (created_at);
CREATE INDEX jobs_due ON jobs (next_run_at) WHERE next_run_at IS NOT NULL;

-- The jobs that a job runs after.
CREATE TABLE job_after (
    job_id   TEXT NOT NULL,
    after_id TEXT NOT NULL,
    PRIMARY KEY (job_id, after_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_after_upstream ON job_after (after_id);

CREATE TABLE run_log (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id  TEXT NOT NULL,
    at      INTEGER NOT NULL,
    level   TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;
CREATE INDEX run_log_run ON run_log (run_id, id);

ALTER TABLE instances ADD COLUMN host TEXT NOT NULL DEFAULT '';
ALTER TABLE instances ADD COLUMN version TEXT NOT NULL DEFAULT '';
