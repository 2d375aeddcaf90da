-- +goose Up
-- Codes that sign in to the page once, in place of the token that made them.
CREATE TABLE sign_in_codes (
    code       BLOB PRIMARY KEY, -- SHA-256 of the code
    token      BLOB NOT NULL, -- SHA-256 of the token
    expires_at INTEGER NOT NULL
) STRICT;
