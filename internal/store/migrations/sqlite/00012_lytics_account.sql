-- +goose Up
-- The Lytics account that the store belongs to. Cursors and sent events are valid
-- for this account only.
CREATE TABLE lytics_account (
    one        INTEGER PRIMARY KEY, -- always 1
    account_id TEXT NOT NULL,
    name       TEXT NOT NULL,
    bound_at   INTEGER NOT NULL -- microseconds since 1970
) STRICT;
