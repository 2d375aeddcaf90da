-- +goose Up
-- What the sealed secret is bound to: 1 the authorization and its host, 2 the
-- authorization, and scheme, host, port and client id.
ALTER TABLE authorizations ADD COLUMN secret_binding BIGINT NOT NULL DEFAULT 1;
-- Whether a release made the authorization that had no lists of what token_env may
-- name and of which private hosts may be contacted. Remove it with the release that
-- ends the time in which such an authorization is used with a warning.
ALTER TABLE authorizations ADD COLUMN predates_lists BIGINT NOT NULL DEFAULT 0;
UPDATE authorizations SET predates_lists = 1;
