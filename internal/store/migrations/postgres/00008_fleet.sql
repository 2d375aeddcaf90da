-- +goose Up
-- Objects that are being uploaded. A row is inserted before the upload, and deleted by
-- the transaction that commits the object. An upload that was given up can no longer
-- be committed.
CREATE TABLE segment_uploads (
    file       TEXT COLLATE "C" PRIMARY KEY,
    stream     TEXT COLLATE "C" NOT NULL,
    given_up   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL -- after this time its writer counts as dead
);

-- The number of the newest right to build profiles; older rights are refused.
CREATE TABLE profile_builds (
    one          BIGINT PRIMARY KEY CHECK (one = 1),
    right_number BIGINT NOT NULL
);
