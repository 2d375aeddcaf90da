-- +goose Up
-- Objects that are being uploaded. A row is inserted before the upload, and deleted by
-- the transaction that commits the object. An upload that was given up can no longer
-- be committed. Only a fleet has uploads, because it keeps segments in S3.
CREATE TABLE segment_uploads (
    file       TEXT PRIMARY KEY,
    stream     TEXT NOT NULL,
    given_up   INTEGER NOT NULL,
    expires_at INTEGER NOT NULL -- after this time its writer counts as dead
) STRICT;

-- The number of the newest right to build profiles; older rights are refused.
CREATE TABLE profile_builds (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    right_number INTEGER NOT NULL
) STRICT;
