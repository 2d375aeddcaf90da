-- +goose Up
-- The part of a failure's text that says what to do; empty where it says
-- nothing of it, and in runs that ended before.
ALTER TABLE runs ADD COLUMN error_next TEXT NOT NULL DEFAULT '';
