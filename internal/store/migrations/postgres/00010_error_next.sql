-- +goose Up
-- The part of a failure's text that says what to do next. It is empty if the text has
-- no such part, and in runs that ended before this migration.
ALTER TABLE runs ADD COLUMN error_next TEXT NOT NULL DEFAULT '';
