-- +goose Up
-- The database's clock, under the name of SQLite's function. Its value is constant
-- within a statement, so that comparisons with it can use an index.
-- +goose StatementBegin
CREATE FUNCTION unixepoch(modifier TEXT) RETURNS DOUBLE PRECISION LANGUAGE sql STABLE
AS $$ SELECT extract(epoch FROM statement_timestamp())::double precision $$;
-- +goose StatementEnd

CREATE TABLE store (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    id  TEXT NOT NULL
);

-- Processes that have the store open. A process is alive while its heartbeat is
-- recent.
CREATE TABLE instances (
    id           TEXT COLLATE "C" PRIMARY KEY,
    kind         TEXT NOT NULL,
    heartbeat_at BIGINT NOT NULL -- microseconds since 1970, the database's clock
);

CREATE TABLE authorizations (
    id            TEXT COLLATE "C" PRIMARY KEY,
    label         TEXT COLLATE "C" NOT NULL,
    description   TEXT NOT NULL,
    host          TEXT NOT NULL,
    port          BIGINT NOT NULL,
    http_path     TEXT NOT NULL,
    token_env     TEXT NOT NULL,
    token_version BIGINT NOT NULL,
    check_connection BIGINT NOT NULL,
    secret        BYTEA,           -- AEAD over the token, bound to id and host
    creator       TEXT NOT NULL,   -- instance that created it
    confirmed     BIGINT NOT NULL, -- 1 if a state file is known to hold it
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);

CREATE TABLE jobs (
    id               TEXT COLLATE "C" PRIMARY KEY,
    key              TEXT COLLATE "C" NOT NULL UNIQUE,
    label            TEXT COLLATE "C" NOT NULL,
    authorization_id TEXT COLLATE "C" NOT NULL REFERENCES authorizations (id),
    spec             TEXT NOT NULL, -- JSON, versioned
    next_run_at      BIGINT,
    paused           BIGINT NOT NULL,
    creator          TEXT NOT NULL,
    confirmed        BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL
);

CREATE TABLE runs (
    id               TEXT COLLATE "C" PRIMARY KEY,
    job_id           TEXT COLLATE "C" NOT NULL,
    authorization_id TEXT COLLATE "C" NOT NULL,
    status           TEXT COLLATE "C" NOT NULL,
    reason           TEXT NOT NULL,
    owner            TEXT COLLATE "C",  -- instance that executes it
    epoch            BIGINT NOT NULL,   -- grows with every claim; writes with an older epoch are refused
    lease_until      BIGINT,
    cancel_requested BIGINT NOT NULL DEFAULT 0,
    phase            TEXT NOT NULL DEFAULT '',
    done             BIGINT NOT NULL DEFAULT 0,
    total            BIGINT NOT NULL DEFAULT 0,
    counts           TEXT NOT NULL DEFAULT '{}',
    error            TEXT NOT NULL DEFAULT '',
    error_code       TEXT NOT NULL DEFAULT '',
    error_attribute  TEXT NOT NULL DEFAULT '',
    created_at       BIGINT NOT NULL,
    started_at       BIGINT,
    finished_at      BIGINT
);
CREATE INDEX runs_job ON runs (job_id, created_at DESC);
-- At most one run of a job is active; the others are queued.
CREATE UNIQUE INDEX runs_one_active ON runs (job_id) WHERE status IN ('waiting_for_warehouse', 'running');

-- The cursor of an import, by the import's key: a new resource with the same key
-- continues from it.
CREATE TABLE cursors (
    key        TEXT COLLATE "C" PRIMARY KEY,
    state      TEXT NOT NULL, -- JSON, versioned
    updated_at BIGINT NOT NULL
);

-- Rows already sent whose timestamp is the cursor's watermark.
CREATE TABLE cursor_ties (
    key    TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    sent   BIGINT NOT NULL,
    PRIMARY KEY (key, digest)
);
