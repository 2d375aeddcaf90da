-- +goose Up
-- The phase that begins with a line of a run's log; '' for a line that begins none.
ALTER TABLE run_log ADD COLUMN phase TEXT NOT NULL DEFAULT '';
