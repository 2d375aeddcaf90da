-- +goose Up
-- How many worker processes ended while they executed the run.
ALTER TABLE runs ADD COLUMN workers_lost BIGINT NOT NULL DEFAULT 0;
