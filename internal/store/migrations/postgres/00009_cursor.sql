-- +goose Up
-- Rows that an import has sent, within the period in which it looks for late rows:
-- pages of timestamps and digests. first and last are the range of the page.
CREATE TABLE cursor_sent (
    key          TEXT COLLATE "C" NOT NULL,
    page         BIGINT NOT NULL,
    first_micros BIGINT NOT NULL,
    first_digest BYTEA NOT NULL,
    last_micros  BIGINT NOT NULL,
    last_digest  BYTEA NOT NULL,
    entries      BYTEA NOT NULL,
    PRIMARY KEY (key, page)
);
CREATE INDEX cursor_sent_last ON cursor_sent (key, last_micros);
