-- +goose Up
-- The Lytics account that the store belongs to: cursors and the events sent
-- mean nothing in another account.
CREATE TABLE lytics_account (
    one        INTEGER PRIMARY KEY, -- always 1
    account_id TEXT NOT NULL,
    name       TEXT NOT NULL,
    bound_at   INTEGER NOT NULL -- microseconds since 1970
) STRICT;
