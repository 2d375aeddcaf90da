-- +goose Up
-- The number of bytes of the extent's lines, if they are stored as frames of Zstandard:
-- start and length are then those of the frames, and checksum that of the lines. NULL
-- means that the lines are stored as they are.
ALTER TABLE extents ADD COLUMN text_length INTEGER;
