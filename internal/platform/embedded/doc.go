// Package embedded is a customer-data platform inside the store. It has streams of raw
// events, profiles that mappings build from the events, and audiences of profiles.
//
// Events are lines of JSON in segments. The rows of the tables segments and extents
// say which bytes of a segment are committed. They are written in the transaction that
// also commits the import's cursor. A crash may leave uncommitted bytes; the next
// process that finds the writer dead removes them.
//
// Profiles are derived from the events: they can be removed and built again. Each
// set of fields and mappings has its own set of profiles, a generation. New events
// are merged into the current generation, and its position in each stream is
// committed with the profiles. After a mapping changed, a new generation is built
// from the first event on and then replaces the current one, so that an audience
// never mixes profiles of the old mapping with profiles of the new one.
//
// A build evaluates the next events while earlier ones are merged: goroutines read and
// evaluate chunks of events ahead, in the order of the stream, and keep of each event the
// stored form of its values. The builder assigns them to users in batches, merges and
// writes them, and commits each batch with the position behind it.
//
// Segments and generations are stored in one of two ways. In a data directory,
// segments are files that only grow, and a generation is a SQLite file. A living
// writer or builder holds a lock of the operating system, which ends with the process.
// With the store in PostgreSQL, segments are objects of an S3 bucket or files of a Unity
// Catalog volume, one for each append, compressed with Zstandard, and a generation is four tables. There, a living
// process can lose its connection and with it its lock, so everything that it commits is
// fenced. An object is announced before its upload, and cannot be committed after its
// announcement was given up. The holder of the build lock has a number, and cannot commit after another
// process got a newer number.
package embedded
