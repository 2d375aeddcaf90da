// Package value is the data model that mapping expressions, merge operations
// and audience filters share: NULL, booleans, exact numbers, strings, instants
// of microseconds, lists and maps; how they compare, convert and print.
//
// Numbers are never floats. An integer or decimal of the source keeps all its
// digits through expressions, sums and comparisons, and one number has one
// text, whatever its scale was: 1.50 prints as 1.5.
package value
