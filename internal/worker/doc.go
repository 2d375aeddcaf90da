// Package worker executes a runner's runs in worker processes: the same binary, one run at
// a time each. What a malformed answer can do to a process, such as an allocation that
// fails or a panic in a goroutine of a library, ends at one run. The requests of the
// runner's API that make a workspace answer (catalogs, dry runs, checks of connections) are
// questions to the same processes, for the same reason: one such answer fails one request.
//
// The runner claims a run, keeps its lease, and writes its progress, log and end, as for
// a run in its own process. A worker is told the claim, opens the store itself, and does
// the work in the claim's name: cursors, events and profiles are committed behind the
// claim's fence. So no state is shared but the store's, which several processes may use
// in any case, and a worker that dies leaves nothing but what a killed runner leaves. The
// other way, a worker that sends rows and cursors to the runner, would need a second
// protocol for everything that a run writes, and would put every row through a pipe.
//
// The pipes carry messages as lines of JSON: to a worker its settings, which have secrets,
// and the environment; then the claim of a run or a question, with the secret that is not
// stored, and the request to cancel it; from a worker its version, the progress, and how the
// work ended, or the answer, whose size is bounded. Secrets are in no argument and
// in no environment of a process. The end of its standard input ends a worker, however
// the runner ended.
package worker
