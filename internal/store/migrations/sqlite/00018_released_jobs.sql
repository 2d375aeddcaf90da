-- +goose Up
-- Jobs that were deleted. The next job of the same key is the same job: it takes the
-- id back, and with it the runs and what else refers to the id.
CREATE TABLE released_jobs (
    key         TEXT PRIMARY KEY, -- as in jobs
    id          TEXT NOT NULL,
    created_at  INTEGER NOT NULL, -- microseconds since 1970
    released_at INTEGER NOT NULL  -- microseconds since 1970
) STRICT, WITHOUT ROWID;
CREATE INDEX released_jobs_id ON released_jobs (id);
