-- +goose Up
-- When a runner last began to look for jobs that are late; microseconds since 1970.
ALTER TABLE store ADD COLUMN stale_checked_at INTEGER NOT NULL DEFAULT 0;
