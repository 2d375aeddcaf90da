// Package store owns the data that must survive a crash: the database of a store,
// its migrations, its identity, the encryption of secrets at rest, and the rows of
// authorizations, jobs, runs, leases and import cursors.
//
// It contains no job logic: it reads and writes rows, and every write is atomic.
//
// SQLite and PostgreSQL execute the same SQL text. Rules for that text:
//   - Arguments are `?`. Booleans are the integers 0 and 1 (arguments may be bool).
//     Times are microseconds since 1970.
//   - RETURNING returns the ids that the database generates; LastInsertId does not
//     work on PostgreSQL.
//   - ON CONFLICT DO UPDATE names its columns. Its SET qualifies the old value with
//     the table's name: SET n = counters.n + excluded.n.
//   - count(*) FILTER (WHERE ...) replaces a sum of booleans; CASE replaces min and
//     max of two values; sums are CAST(sum(n) AS BIGINT).
//   - No COLLATE: both databases compare text by its bytes. To ignore case, write
//     lower(a) = lower(b).
//   - Write may call its function again after a conflict, so the function must reset
//     every variable that it sets outside itself.
package store
