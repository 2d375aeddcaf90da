// Package value is the data model that mapping expressions, merge operations and
// audience filters share: NULL, booleans, exact numbers, strings, instants in
// microseconds, lists and maps. It compares, converts and formats them.
//
// Numbers are never floats. An integer or decimal of the source keeps all its digits
// through expressions, sums and comparisons. Equal numbers have the same text,
// independent of their scale: 1.50 is formatted as 1.5.
package value
