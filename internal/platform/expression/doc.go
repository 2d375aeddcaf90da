// Package expression is the language of mappings: it computes the value of a
// user field from one event.
//
//	email(email)                                 a function of a column
//	oneof(mobile, phone)                         the first that is not empty
//	price * quantity                             exact arithmetic
//	todate(address.moved_at)                     nested values, dotted
//	`order total`                                any name, back-quoted
//	status == 'paid' AND NOT contains(tags, "x") conditions, for guards
//
// NULL. A column that is missing or null is NULL. Every operator and function
// of a NULL is NULL, but for oneof, exists, set, map and join, which pass over
// it, and AND and OR, which are of three values as in SQL. What cannot be
// computed is NULL as well: toint("abc"), 1 / 0, a string in arithmetic that is
// no number. A guard lets an event pass when it is true, not when it is NULL.
//
// Strings that are numbers take part in arithmetic and in comparison with
// numbers; strings that are dates in comparison with dates. Strings compare
// with strings by their bytes, so case counts.
//
// There is no function of the present time or of chance: profiles are rebuilt
// from the events, and must come out the same.
package expression
