// Package jobstest has Fake, an implementation of jobs.API in memory for tests,
// and Conformance, the test suite that every implementation of jobs.API passes:
// the engine, the client of a runner, and Fake.
//
// Fake implements what the suite tests. It does not do the work of the packages
// above jobs: it validates no host, field, expression or filter, and reads no
// warehouse.
package jobstest
