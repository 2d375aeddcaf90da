-- +goose Up
-- Codes that sign in to the page once, in place of the token that made them.
CREATE TABLE sign_in_codes (
    code       BYTEA PRIMARY KEY, -- SHA-256 of the code
    token      BYTEA NOT NULL, -- SHA-256 of the token
    expires_at BIGINT NOT NULL
);
