// Package jobstest has Fake, the one fake of jobs.API, and Conformance, the
// suite that holds every implementation of jobs.API to the same answers: the
// engine, the client of a runner, and Fake itself.
//
// Fake keeps everything in memory. It does what the suite asks of an
// implementation and leaves out what packages above jobs decide: it validates no
// host, field, expression or filter, and reads no warehouse.
package jobstest
