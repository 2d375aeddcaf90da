// Package conformance is the test suite of every customer-data platform. It checks that
// each platform accepts the same definitions, refuses invalid ones with the same codes
// and attributes, builds the same profiles from the same events, and returns the same
// values for an audience.
package conformance
