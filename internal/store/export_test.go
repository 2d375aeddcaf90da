package store

// Writing is how many transactions are under way in this process, those that
// still wait for their turn too.
func (d *DB) Writing() int { return d.write.Stats().InUse }
