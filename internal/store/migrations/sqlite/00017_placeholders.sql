-- +goose Up
-- Values that identify nobody, as a JSON array: every process that builds profiles
-- has to leave out the same ones.
CREATE TABLE placeholders (
    one    INTEGER PRIMARY KEY, -- always 1
    list   TEXT NOT NULL
) STRICT;
