package store

import "slices"

// Writing is the number of this process's transactions that have begun or wait for
// another writer.
func (d *DB) Writing() int { return d.write.Stats().InUse }

// Tables returns the names of all of the store's tables, sorted.
func Tables() []string { return slices.Sorted(slices.Values(append(slices.Clone(tables), derived...))) }

// CopiedTables returns the tables that Copy copies.
func CopiedTables() []string { return slices.Clone(tables) }
