// Package embedded is a customer-data platform of our own: streams of raw events,
// profiles built from them by declared mappings, and audiences of profiles.
//
// Events are lines of JSON in segments. What of a segment counts is written in
// the store, in the transaction that also commits the import's cursor; bytes
// beyond are left from a crash, and removed by whoever finds their writer dead.
//
// Profiles are derived: they can be thrown away and built again. There is a set
// of them for each generation, a generation being one set of fields and mappings.
// New events are merged into the current generation, its position in each stream
// committed with the profiles; a changed mapping builds a new generation from the
// first event on and then replaces the current one, so that an audience sees all
// profiles by the old mapping or all by the new.
//
// There are two places for all that. In a data directory, segments are files that
// only grow, and a generation is a SQLite file; a writer is alive, and a builder
// at work, while it holds a lock of the operating system, which a killed process
// cannot keep. In a fleet, with the store in PostgreSQL, segments are objects of
// an S3 bucket, one for each append, and a generation is a set of tables. There a
// process can be cut off without being dead, so whatever it commits is fenced: an
// object was announced before its upload, and one whose announcement was given up
// can no longer be committed; a builder's right has a number, and an older one is
// refused.
package embedded
