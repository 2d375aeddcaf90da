-- +goose Up
-- Streams of raw events. The events are in segment files in the data directory;
-- bytes outside of every extent are not committed.
CREATE TABLE streams (
    name       TEXT PRIMARY KEY,
    events     INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    first_time INTEGER, -- time of the earliest event, microseconds since 1970
    last_time  INTEGER,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE segments (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    stream     TEXT NOT NULL REFERENCES streams (name),
    file       TEXT NOT NULL UNIQUE, -- path in the data directory, with slashes
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX segments_stream ON segments (stream);

-- An extent is the part of a segment that one append committed. Ids grow in the
-- order of commit and are never reused, so that a reader's position is the id of an
-- extent.
CREATE TABLE extents (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    stream   TEXT NOT NULL REFERENCES streams (name),
    segment  INTEGER NOT NULL REFERENCES segments (id),
    start    INTEGER NOT NULL,
    length   INTEGER NOT NULL,
    events   INTEGER NOT NULL,
    checksum INTEGER NOT NULL -- CRC-32C of its bytes
) STRICT;
CREATE INDEX extents_stream ON extents (stream, id);
CREATE INDEX extents_segment ON extents (segment);

-- Ids differ by more than case, because they are column names of exported tables.
CREATE TABLE fields (
    id              TEXT PRIMARY KEY COLLATE NOCASE,
    description     TEXT NOT NULL,
    type            TEXT NOT NULL,
    is_identifier   INTEGER NOT NULL,
    is_pii          INTEGER NOT NULL,
    merge_operation TEXT NOT NULL,
    capacity        INTEGER NOT NULL,
    keep_days       INTEGER NOT NULL
) STRICT;

CREATE TABLE mappings (
    id               TEXT PRIMARY KEY,
    stream           TEXT NOT NULL,
    field            TEXT NOT NULL REFERENCES fields (id),
    expression       TEXT NOT NULL,
    guard_expression TEXT NOT NULL,
    UNIQUE (stream, field, guard_expression)
) STRICT;
CREATE INDEX mappings_field ON mappings (field);

CREATE TABLE audiences (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    slug        TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    filter      TEXT NOT NULL
) STRICT;

-- Each generation of profiles has its own file. There is the current generation and,
-- after a change of the mappings, the generation that is being built.
CREATE TABLE profile_generations (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    file        TEXT NOT NULL UNIQUE, -- in the data directory
    fingerprint TEXT NOT NULL,        -- hash of the fields and mappings it is built from
    fields      TEXT NOT NULL,        -- those fields, JSON; a profile's state refers to them by index
    current     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX profile_generations_current ON profile_generations (current) WHERE current = 1;
