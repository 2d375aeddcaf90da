-- +goose Up
-- Alerts to be delivered once, by the first runner that claims them.
CREATE TABLE alerts (
    id         TEXT COLLATE "C" PRIMARY KEY, -- contains the subject, so that there is one alert for each
    kind       TEXT NOT NULL,                -- failure or stale
    job_id     TEXT COLLATE "C" NOT NULL,
    run_id     TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    next_at    BIGINT NOT NULL, -- next attempt; a runner that claims the alert moves it into the future
    done_at    BIGINT           -- when it was delivered or given up
);
CREATE INDEX alerts_open ON alerts (next_at) WHERE done_at IS NULL;
CREATE INDEX runs_failed ON runs (finished_at) WHERE status = 'failed';
