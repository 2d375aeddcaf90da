-- +goose Up
-- Requests to Lytics that have no response yet, so that the next run knows the events
-- that may have arrived, even if the process died. Earlier releases created these two
-- tables outside of the migrations.
CREATE TABLE IF NOT EXISTS lytics_sends (
    id         TEXT PRIMARY KEY,
    stream     TEXT NOT NULL,
    events     BLOB NOT NULL, -- the first eight bytes of each event's digest
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS lytics_sends_stream ON lytics_sends (stream);

-- The declared text of an object, where Lytics returns the text in another form.
CREATE TABLE IF NOT EXISTS lytics_texts (
    object   TEXT PRIMARY KEY,
    declared TEXT NOT NULL,
    written  TEXT NOT NULL
) STRICT;
