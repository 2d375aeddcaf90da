-- +goose Up
-- Service principals (OAuth machine-to-machine); the client secret is in the column
-- secret, like a token. catalog_api is rest or sql; '' means rest.
ALTER TABLE authorizations ADD COLUMN client_id TEXT NOT NULL DEFAULT '';
ALTER TABLE authorizations ADD COLUMN client_secret_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE authorizations ADD COLUMN catalog_api TEXT NOT NULL DEFAULT '';
