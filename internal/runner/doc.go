// Package runner is the daemon: it plans the runs of schedules, and executes
// them together with those that are asked for.
//
// The truth is in the store: when a schedule is due, which runs there are, and
// who may execute each of them for how long. River carries a run from the
// transaction that makes it ready to a worker of some runner; losing or
// doubling what it carries does no harm, because a worker executes only what it
// can claim. There is no leader: every runner on a store plans, executes, and
// takes over from runners that are gone, and the database's clock is the only
// one that counts.
package runner
