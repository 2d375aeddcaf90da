package store

import "database/sql"

// SQL is the transaction itself, for what writes its own tables along with ours.
func (t *Tx) SQL() *sql.Tx { return t.tx }

// Writer is the pool that writes: with SQLite a single connection.
func (d *DB) Writer() *sql.DB { return d.write }
