-- +goose Up
-- The Lytics account that the store belongs to. Cursors and sent events are valid
-- for this account only.
CREATE TABLE lytics_account (
    one        BIGINT PRIMARY KEY, -- always 1
    account_id TEXT COLLATE "C" NOT NULL,
    name       TEXT NOT NULL,
    bound_at   BIGINT NOT NULL -- microseconds since 1970
);
