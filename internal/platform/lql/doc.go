// Package lql parses and evaluates the common part of Lytics' two languages. The
// expressions of mappings (package expression) and the filters of audiences (package
// filterql) have the same operators and functions, and the same rules of evaluation.
//
// The result of an evaluation has one of three states. Known: there is a value, which
// may be NULL. Unknown: a column is absent, or an operation has no result; its NOT is
// unknown too, and a filter with this result matches no profile. Failed: the operator is
// not defined for its operands; as the result of a filter it is false, and as an operand
// it is unknown.
//
// The behaviour is that of qlbridge, the engine that Lytics published; ../golden holds
// its answers. ../golden/EXPLAINED.md lists the intended differences with their reasons.
package lql
