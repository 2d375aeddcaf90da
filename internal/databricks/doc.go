// Package databricks reaches one Databricks SQL warehouse: it connects, waits
// for a warehouse that is starting, runs statements, reads the catalog, and
// quotes what takes no parameter.
//
// It uses databricks-sql-go, over an HTTP transport of its own (type transport).
// The transport corrects what would lose data or ignore the caller:
//
//   - The driver takes a failed fetch for the end of the result in places. The
//     transport reads every reply, remembers failures and counts rows, so that a
//     result that ends early is an error.
//   - The driver reads on after its context ended. The transport stops it, and
//     holds a cancel back until the warehouse has named the statement, so that
//     it can be cancelled there too.
//   - The driver repeats statements when a warehouse is busy. Here a statement
//     is only repeated when its caller said that it is idempotent.
//   - A lost session would silently become a new one. Here it is an error for
//     which IsSessionLost is true.
//   - The driver, and Arrow v12 below it, believe every answer: one with a changed byte can
//     end the process. Every answer is checked before the driver reads it, and its size and
//     time are bounded. No other package imports the driver or Arrow.
//   - The driver reads results that are compressed with LZ4, and cannot ask for them. The
//     transport asks, and inflates them, for Batches.
//   - The driver waits for a statement without a limit. Here it has a deadline.
//   - Tokens go to the configured host alone; redirects, other hosts and
//     forbidden addresses (package egress) are refused.
package databricks
