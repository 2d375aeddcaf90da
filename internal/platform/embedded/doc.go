// Package embedded is a customer-data platform inside the data directory:
// streams of raw events, profiles built from them by declared mappings, and
// audiences of profiles.
//
// Events are lines of JSON in segment files that only grow. What of a file
// counts is written in the store, in the transaction that also commits the
// import's cursor; bytes beyond are left from a crash, and cut by whoever finds
// their writer dead. A writer is alive while it holds a lock of the operating
// system, which a killed process cannot keep.
//
// Profiles are derived: they can be thrown away and built again. They are in an
// SQLite file for each generation, a generation being one set of fields and
// mappings. New events are merged into the current generation, its position in
// each stream committed with the profiles; a changed mapping builds a new
// generation from the first event on and then replaces the current one, so that
// an audience sees all profiles by the old mapping or all by the new.
package embedded
