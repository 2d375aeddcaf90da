-- +goose Up
-- Streams of a Lytics account that events were sent to since Lytics was last seen
-- to have counted them all.
CREATE TABLE lytics_awaited (
    stream  TEXT PRIMARY KEY,
    -- the number of events that the stream has once it has counted those sent;
    -- NULL if it could not be read before they were
    target  INTEGER,
    sent    INTEGER NOT NULL
) STRICT;
