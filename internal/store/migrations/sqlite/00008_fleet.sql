-- +goose Up
-- Objects that are being uploaded: announced before, and taken away by the
-- transaction that commits them. What is given up can no longer be committed.
-- Only a fleet, which keeps segments in S3, has any.
CREATE TABLE segment_uploads (
    file       TEXT PRIMARY KEY,
    stream     TEXT NOT NULL,
    given_up   INTEGER NOT NULL,
    expires_at INTEGER NOT NULL -- after which its writer is held for dead
) STRICT;

-- The number of the newest right to build profiles: older ones are refused.
CREATE TABLE profile_builds (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    right_number INTEGER NOT NULL
) STRICT;
