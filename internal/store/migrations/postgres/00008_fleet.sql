-- +goose Up
-- Objects that are being uploaded: announced before, and taken away by the
-- transaction that commits them. What is given up can no longer be committed.
CREATE TABLE segment_uploads (
    file       TEXT COLLATE "C" PRIMARY KEY,
    stream     TEXT COLLATE "C" NOT NULL,
    given_up   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL -- after which its writer is held for dead
);

-- The number of the newest right to build profiles: older ones are refused.
CREATE TABLE profile_builds (
    one          BIGINT PRIMARY KEY CHECK (one = 1),
    right_number BIGINT NOT NULL
);
