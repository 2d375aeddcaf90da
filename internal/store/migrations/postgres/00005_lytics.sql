-- +goose Up
-- Requests to Lytics that have no response yet, so that the next run knows the events
-- that may have arrived, even if the process died.
CREATE TABLE lytics_sends (
    id         TEXT COLLATE "C" PRIMARY KEY,
    stream     TEXT COLLATE "C" NOT NULL,
    events     BYTEA NOT NULL, -- the first eight bytes of each event's digest
    created_at BIGINT NOT NULL
);
CREATE INDEX lytics_sends_stream ON lytics_sends (stream);

-- The declared text of an object, where Lytics returns the text in another form.
CREATE TABLE lytics_texts (
    object   TEXT COLLATE "C" PRIMARY KEY,
    declared TEXT NOT NULL,
    written  TEXT NOT NULL
);
