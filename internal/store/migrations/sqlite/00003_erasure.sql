-- +goose Up
-- Who was erased, as keyed hashes of identities: later imports of the same ones
-- are left out, and the list itself names nobody.
CREATE TABLE erasure (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    key     BLOB NOT NULL,
    pending INTEGER NOT NULL -- events or profiles of somebody on the list may still be on disk
) STRICT;
CREATE TABLE erased_identities (
    id        INTEGER PRIMARY KEY AUTOINCREMENT, -- the newest one is the list's version
    hash      BLOB NOT NULL UNIQUE,
    erased_at INTEGER NOT NULL
) STRICT;
-- Profiles to be removed from the file of their generation.
CREATE TABLE erased_profiles (
    generation INTEGER NOT NULL,
    profile    INTEGER NOT NULL,
    PRIMARY KEY (generation, profile)
) STRICT, WITHOUT ROWID;
-- Segment files that were written again without somebody's events, and are to
-- be removed.
CREATE TABLE replaced_segments (file TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
