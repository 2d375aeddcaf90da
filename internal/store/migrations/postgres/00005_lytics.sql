-- +goose Up
-- What a send to Lytics has not been answered for, so that the next one knows
-- it after the process died.
CREATE TABLE lytics_sends (
    id         TEXT COLLATE "C" PRIMARY KEY,
    stream     TEXT COLLATE "C" NOT NULL,
    events     BYTEA NOT NULL, -- eight bytes of a digest for each
    created_at BIGINT NOT NULL
);
CREATE INDEX lytics_sends_stream ON lytics_sends (stream);

-- The text that was declared where Lytics writes it otherwise.
CREATE TABLE lytics_texts (
    object   TEXT COLLATE "C" PRIMARY KEY,
    declared TEXT NOT NULL,
    written  TEXT NOT NULL
);
