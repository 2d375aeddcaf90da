-- +goose Up
-- Objects that live in the Lytics account: who manages an object, '' for this
-- provider or 'lytics', and the id that Lytics gave it. A job without an id was
-- about to be created there when it was written.
ALTER TABLE authorizations ADD COLUMN managed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE authorizations ADD COLUMN lytics_id TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN managed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN lytics_id TEXT NOT NULL DEFAULT '';
