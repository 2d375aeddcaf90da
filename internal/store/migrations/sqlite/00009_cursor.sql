-- +goose Up
-- Rows that an import has sent, within the period in which it looks for late rows:
-- pages of timestamps and digests. first and last are the range of the page.
CREATE TABLE cursor_sent (
    key          TEXT NOT NULL,
    page         INTEGER NOT NULL,
    first_micros INTEGER NOT NULL,
    first_digest BLOB NOT NULL,
    last_micros  INTEGER NOT NULL,
    last_digest  BLOB NOT NULL,
    entries      BLOB NOT NULL,
    PRIMARY KEY (key, page)
) STRICT;
CREATE INDEX cursor_sent_last ON cursor_sent (key, last_micros);
