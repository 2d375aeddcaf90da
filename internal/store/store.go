// Package store owns what must survive a crash: the database of a store, its
// migrations, its identity, the encryption of secrets at rest, and the rows of
// authorizations, jobs, runs, leases and import cursors.
//
// It knows no job logic: it reads and writes rows, and promises that a write
// either happened whole or not at all.
//
// One text of SQL serves SQLite and PostgreSQL. That asks of it:
//   - `?` for arguments; truth as an integer, 0 or 1 (arguments may be bool);
//     times as microseconds since 1970.
//   - Ids that the database gives come back by RETURNING, not by LastInsertId.
//   - ON CONFLICT DO UPDATE names its columns, and its SET names the table for
//     what the row was: SET n = counters.n + excluded.n.
//   - count(*) FILTER (WHERE ...) in place of a sum over truth; CASE in place of
//     min and max of two values; CAST(sum(n) AS BIGINT).
//   - No COLLATE: text compares by its bytes in both. Without regard to case is
//     lower(a) = lower(b).
//   - Conflicts of writers: Write's function may run again, and then begins anew
//     with whatever it sets outside.
package store
