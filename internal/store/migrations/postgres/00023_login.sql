-- +goose Up
-- How tokens are obtained, where it is neither a stored token, nor a variable, nor OAuth
-- with a stored client secret: JSON, or empty.
ALTER TABLE authorizations ADD COLUMN login TEXT NOT NULL DEFAULT '';
