-- +goose Up
CREATE TABLE store (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  TEXT NOT NULL
) STRICT;

-- Processes that have the store open. A process is alive while its heartbeat is
-- recent.
CREATE TABLE instances (
    id           TEXT PRIMARY KEY,
    kind         TEXT NOT NULL,
    heartbeat_at INTEGER NOT NULL -- microseconds since 1970, the database's clock
) STRICT;

CREATE TABLE authorizations (
    id            TEXT PRIMARY KEY,
    label         TEXT NOT NULL,
    description   TEXT NOT NULL,
    host          TEXT NOT NULL,
    port          INTEGER NOT NULL,
    http_path     TEXT NOT NULL,
    token_env     TEXT NOT NULL,
    token_version INTEGER NOT NULL,
    check_connection INTEGER NOT NULL,
    secret        BLOB,             -- AEAD over the token, bound to id and host
    creator       TEXT NOT NULL,    -- instance that created it
    confirmed     INTEGER NOT NULL, -- 1 if a state file is known to hold it
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs (
    id               TEXT PRIMARY KEY,
    key              TEXT NOT NULL UNIQUE,
    label            TEXT NOT NULL,
    authorization_id TEXT NOT NULL REFERENCES authorizations (id),
    spec             TEXT NOT NULL, -- JSON, versioned
    next_run_at      INTEGER,
    paused           INTEGER NOT NULL,
    creator          TEXT NOT NULL,
    confirmed        INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
    id               TEXT PRIMARY KEY,
    job_id           TEXT NOT NULL,
    authorization_id TEXT NOT NULL,
    status           TEXT NOT NULL,
    reason           TEXT NOT NULL,
    owner            TEXT,             -- instance that executes it
    epoch            INTEGER NOT NULL, -- grows with every claim; writes with an older epoch are refused
    lease_until      INTEGER,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    phase            TEXT NOT NULL DEFAULT '',
    done             INTEGER NOT NULL DEFAULT 0,
    total            INTEGER NOT NULL DEFAULT 0,
    counts           TEXT NOT NULL DEFAULT '{}',
    error            TEXT NOT NULL DEFAULT '',
    error_code       TEXT NOT NULL DEFAULT '',
    error_attribute  TEXT NOT NULL DEFAULT '',
    created_at       INTEGER NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER
) STRICT;
CREATE INDEX runs_job ON runs (job_id, created_at DESC);
-- At most one run of a job is active; the others are queued.
CREATE UNIQUE INDEX runs_one_active ON runs (job_id) WHERE status IN ('waiting_for_warehouse', 'running');

-- The cursor of an import, by the import's key: a new resource with the same key
-- continues from it.
CREATE TABLE cursors (
    key        TEXT PRIMARY KEY,
    state      TEXT NOT NULL, -- JSON, versioned
    updated_at INTEGER NOT NULL
) STRICT;

-- Rows already sent whose timestamp is the cursor's watermark.
CREATE TABLE cursor_ties (
    key    TEXT NOT NULL,
    digest TEXT NOT NULL,
    sent   INTEGER NOT NULL,
    PRIMARY KEY (key, digest)
) STRICT, WITHOUT ROWID;
