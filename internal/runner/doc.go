// Package runner is the daemon. It plans the runs of schedules, and executes
// planned and requested runs.
//
// All state is in the store: when a schedule is due, the runs, and the lease of
// each run. River only delivers the id of a run from the transaction that queues
// it to a worker of some runner. A delivery may be lost or repeated: a worker
// executes a run only after it claimed its lease, and the sweeper queues lost
// runs again. There is no leader: every runner on a store plans, executes, and
// takes over the runs of lost processes. All times come from the database's
// clock, so the clocks of the machines may be wrong.
package runner
