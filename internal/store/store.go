// Package store owns what must survive a crash: the SQLite database of a data
// directory, its migrations, its identity, the encryption of secrets at rest,
// and the rows of authorizations, jobs, runs, leases and import cursors.
//
// It knows no job logic: it reads and writes rows, and promises that a write
// either happened whole or not at all.
package store
