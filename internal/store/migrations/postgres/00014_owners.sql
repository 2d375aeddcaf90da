-- +goose Up
-- Which resource a field, mapping or audience belongs to.
CREATE TABLE platform_owners (
    kind      TEXT COLLATE "C" NOT NULL,
    object    TEXT COLLATE "C" NOT NULL, -- the object's id
    owner     TEXT COLLATE "C" NOT NULL, -- what the resource keeps in its private state; empty for none yet
    claimant  TEXT COLLATE "C" NOT NULL, -- a resource that becomes the owner once a state file holds it; empty for none
    creator   TEXT COLLATE "C" NOT NULL, -- the process that created the object
    confirmed BIGINT NOT NULL, -- 1 once a state file is known to hold the object
    noted_at  BIGINT NOT NULL, -- microseconds since 1970
    PRIMARY KEY (kind, object)
);
-- The creates that are under way, each written before the platform is called.
-- One whose process is dead was interrupted: the next create goes on with it.
CREATE TABLE platform_intents (
    kind       TEXT COLLATE "C" NOT NULL,
    place      TEXT COLLATE "C" NOT NULL, -- what tells the object from others before it has an id
    owner      TEXT COLLATE "C" NOT NULL,
    creator    TEXT COLLATE "C" NOT NULL,
    definition TEXT COLLATE "C" NOT NULL, -- JSON
    noted_at   BIGINT NOT NULL, -- microseconds since 1970
    PRIMARY KEY (kind, place)
);
-- What this store last wrote into the draft of a Lytics account's schema and did
-- not publish yet. Other changes in the draft are those of other people.
CREATE TABLE lytics_drafts (
    object TEXT COLLATE "C" PRIMARY KEY, -- kind/id
    body   TEXT COLLATE "C" NOT NULL -- JSON; empty for a deletion
);
