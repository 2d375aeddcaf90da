-- +goose Up
-- The identities that were erased, as keyed hashes, so that the list itself contains
-- no personal data. Later imports leave these identities out.
CREATE TABLE erasure (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    key     BLOB NOT NULL,
    pending INTEGER NOT NULL -- 1 if events or profiles of an erased identity may still be on disk
) STRICT;
CREATE TABLE erased_identities (
    id        INTEGER PRIMARY KEY AUTOINCREMENT, -- the largest id is the version of the list
    hash      BLOB NOT NULL UNIQUE,
    erased_at INTEGER NOT NULL
) STRICT;
-- Profiles to be removed from the file of their generation.
CREATE TABLE erased_profiles (
    generation INTEGER NOT NULL,
    profile    INTEGER NOT NULL,
    PRIMARY KEY (generation, profile)
) STRICT, WITHOUT ROWID;
-- Segment files to be removed: new files without the erased events replace them.
CREATE TABLE replaced_segments (file TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
