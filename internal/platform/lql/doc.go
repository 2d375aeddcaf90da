// Package lql is what Lytics' two languages share: the expressions of mappings
// (package expression) and the filters of audiences (package filterql) have one
// grammar of operators and functions, and one way of evaluating them.
//
// An evaluation has one of three states. Known: there is a value, which may be
// NULL. Unknown: what was asked for is absent, or has no answer; NOT of it is
// unknown too, and at the top it matches nothing. Failed: the operator is not
// defined for such values; at the top it is false, inside it is unknown.
//
// The behaviour is that of qlbridge, the engine that Lytics published, as its
// answers in ../golden show it. Where this package differs on purpose, the file
// EXPLAINED.md beside those answers says why.
package lql
