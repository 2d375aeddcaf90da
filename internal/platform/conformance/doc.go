// Package conformance is what every customer-data side has to do, as tests that
// run on each of them: the same definitions are taken and refused with the same
// codes and attributes, the same events become the same profiles, and an
// audience of them reads the same, value for value.
package conformance
