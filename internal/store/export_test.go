package store

import "slices"

// Writing is how many transactions are under way in this process, those that
// still wait for their turn too.
func (d *DB) Writing() int { return d.write.Stats().InUse }

// Tables are the names of all tables of ours, moved or not, sorted.
func Tables() []string { return slices.Sorted(slices.Values(append(slices.Clone(tables), derived...))) }

// MovedTables are those that Copy copies.
func MovedTables() []string { return slices.Clone(tables) }
