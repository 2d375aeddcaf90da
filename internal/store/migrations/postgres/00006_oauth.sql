-- +goose Up
-- Service principals (OAuth machine-to-machine), whose secret is in the column
-- secret as a token is; and how the catalog is read: rest or sql, '' for rest.
ALTER TABLE authorizations ADD COLUMN client_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE authorizations ADD COLUMN client_secret_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE authorizations ADD COLUMN catalog_api TEXT COLLATE "C" NOT NULL DEFAULT '';
