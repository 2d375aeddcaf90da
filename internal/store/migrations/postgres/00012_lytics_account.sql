-- +goose Up
-- The Lytics account that the store belongs to: cursors and the events sent
-- mean nothing in another account.
CREATE TABLE lytics_account (
    one        BIGINT PRIMARY KEY, -- always 1
    account_id TEXT COLLATE "C" NOT NULL,
    name       TEXT NOT NULL,
    bound_at   BIGINT NOT NULL -- microseconds since 1970
);
