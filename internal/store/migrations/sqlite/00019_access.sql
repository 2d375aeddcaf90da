-- +goose Up
-- Named tokens of the runner's API. Two of one name are valid during a rotation.
CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL, -- read, operate or admin
    hash       BLOB NOT NULL UNIQUE, -- SHA-256 of the token
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER -- NULL: valid until it is revoked
) STRICT;
CREATE INDEX tokens_name ON tokens (name);
-- Sign-ins to the page, which all runners of the store accept.
CREATE TABLE sessions (
    key    BLOB PRIMARY KEY, -- SHA-256 of the cookie
    token  BLOB NOT NULL, -- SHA-256 of the token that opened it
    begun  INTEGER NOT NULL,
    used   INTEGER NOT NULL,
    notice TEXT NOT NULL -- what the page shows next
) STRICT;
CREATE INDEX sessions_used ON sessions (used);
-- Who changed what, when, from where, with what result.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL, -- microseconds since 1970, the database's clock
    actor   TEXT NOT NULL, -- name of the token, user of the machine, or schedule
    role    TEXT NOT NULL,
    via     TEXT NOT NULL, -- api, socket, page, embedded or schedule
    address TEXT NOT NULL,
    action  TEXT NOT NULL, -- id of the API's operation
    object  TEXT NOT NULL, -- id of the object, or name of the token
    label   TEXT NOT NULL, -- the object's label at that time
    run_id  TEXT NOT NULL,
    result  TEXT NOT NULL -- ok, or the code of the error
) STRICT;
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_object ON audit (object, id);
CREATE INDEX audit_actor ON audit (actor, id);
-- The key that encrypts. No row: any key that a process has.
CREATE TABLE encryption_current (
    one    INTEGER PRIMARY KEY, -- always 1
    key_id TEXT NOT NULL
) STRICT;
-- During a rotation, each of the two keys is kept encrypted with the other one:
-- a process that has one of them opens all rows.
CREATE TABLE encryption_keys (
    key_id TEXT NOT NULL,
    by_id  TEXT NOT NULL, -- the key that encrypts it
    sealed BLOB NOT NULL,
    PRIMARY KEY (key_id, by_id)
) STRICT;
