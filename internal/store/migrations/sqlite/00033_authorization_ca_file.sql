-- +goose Up
-- A PEM file with certificate authorities that the connections of the authorization trust,
-- too; or empty. A sealed secret is bound to it.
ALTER TABLE authorizations ADD COLUMN ca_file TEXT NOT NULL DEFAULT '';
