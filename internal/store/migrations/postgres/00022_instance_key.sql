-- +goose Up
-- The id of the encryption key that a process has; empty if it has none.
ALTER TABLE instances ADD COLUMN key_id TEXT COLLATE "C" NOT NULL DEFAULT '';
