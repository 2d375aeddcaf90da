// Package embedded is a customer-data platform inside the store: streams of raw
// events, profiles built from them by declared mappings, and audiences of
// profiles.
//
// Events are lines of JSON in segments. The rows of segments and extents in the
// store say which bytes of a segment are committed. They are written in the
// transaction that also commits the import's cursor. Bytes beyond them were left
// by a crash; a process that finds their writer dead removes them.
//
// Profiles are derived from the events: they can be removed and built again. Each
// set of fields and mappings has its own set of profiles, a generation. New events
// are merged into the current generation, and its position in each stream is
// committed with the profiles. After a mapping changed, a new generation is built
// from the first event on and then replaces the current one, so that an audience
// reads all profiles by the old mapping or all by the new.
//
// There are two places for segments and generations. In a data directory, segments
// are files that only grow, and a generation is a SQLite file; a living writer or
// builder holds a lock of the operating system, which a killed process cannot
// keep. With the store in PostgreSQL, segments are objects of an S3 bucket, one
// for each append, and a generation is four tables. There a process can lose its
// connection without being dead, so everything that it commits is fenced: an
// object is announced before its upload, and after its announcement was given up
// it can no longer be committed; the holder of the build lock has a number, and a
// holder with an older number can no longer commit.
package embedded
