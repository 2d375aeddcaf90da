-- +goose Up
-- Old runs are removed in the order of their ends. Without this index each batch of them
-- reads all runs.
CREATE INDEX runs_finished ON runs (finished_at) WHERE finished_at IS NOT NULL;
-- Of a thousand schedules that are due at the same time a batch is claimed at a time, in
-- the order of the index. Without the id in it each batch reads and sorts all of them.
DROP INDEX jobs_due;
CREATE INDEX jobs_due ON jobs (next_run_at, id) WHERE next_run_at IS NOT NULL;
-- The metrics show the oldest jobs.
CREATE INDEX jobs_created ON jobs (created_at, id);
