-- +goose Up
-- What a send to Lytics has not been answered for, so that the next one knows
-- it after the process died. Earlier releases made these two tables themselves.
CREATE TABLE IF NOT EXISTS lytics_sends (
    id         TEXT PRIMARY KEY,
    stream     TEXT NOT NULL,
    events     BLOB NOT NULL, -- eight bytes of a digest for each
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS lytics_sends_stream ON lytics_sends (stream);

-- The text that was declared where Lytics writes it otherwise.
CREATE TABLE IF NOT EXISTS lytics_texts (
    object   TEXT PRIMARY KEY,
    declared TEXT NOT NULL,
    written  TEXT NOT NULL
) STRICT;
