-- +goose Up
-- Jobs that were deleted. The next job of the same key is the same job: it takes the
-- id back, and with it the runs and what else refers to the id.
CREATE TABLE released_jobs (
    key         TEXT COLLATE "C" PRIMARY KEY, -- as in jobs
    id          TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL, -- microseconds since 1970
    released_at BIGINT NOT NULL  -- microseconds since 1970
);
CREATE INDEX released_jobs_id ON released_jobs (id);
