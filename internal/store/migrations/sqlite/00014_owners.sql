-- +goose Up
-- Which resource a field, mapping or audience belongs to.
CREATE TABLE platform_owners (
    kind      TEXT NOT NULL,
    object    TEXT NOT NULL, -- the object's id
    owner     TEXT NOT NULL, -- what the resource keeps in its private state; empty for none yet
    claimant  TEXT NOT NULL, -- a resource that becomes the owner once a state file holds it; empty for none
    creator   TEXT NOT NULL, -- the process that created the object
    confirmed INTEGER NOT NULL, -- 1 once a state file is known to hold the object
    noted_at  INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (kind, object)
) STRICT, WITHOUT ROWID;
-- The creates that are under way, each written before the platform is called.
-- One whose process is dead was interrupted: the next create goes on with it.
CREATE TABLE platform_intents (
    kind       TEXT NOT NULL,
    place      TEXT NOT NULL, -- what tells the object from others before it has an id
    owner      TEXT NOT NULL,
    creator    TEXT NOT NULL,
    definition TEXT NOT NULL, -- JSON
    noted_at   INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (kind, place)
) STRICT, WITHOUT ROWID;
-- What this store last wrote into the draft of a Lytics account's schema and did
-- not publish yet. Other changes in the draft are those of other people.
CREATE TABLE lytics_drafts (
    object TEXT PRIMARY KEY, -- kind/id
    body   TEXT NOT NULL -- JSON; empty for a deletion
) STRICT, WITHOUT ROWID;
