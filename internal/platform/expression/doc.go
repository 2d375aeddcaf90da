// Package expression is the language of mappings: it computes the value of a
// user field from one event, as Lytics does.
//
//	email(email)                                 a function of a column
//	oneof(mobile, phone)                         the first that is not empty
//	price * quantity                             exact arithmetic
//	todate(address.moved_at)                     nested values, dotted
//	`order total`                                any name, back-quoted
//	eq(status, "paid"), status = 'paid'          conditions, for guards
//
// The functions are in the guide lytics-languages, and Functions lists them.
//
// An expression that has no answer is NULL: toint("abc"), 1 / 0, a function of
// what it is not for. A column that an event does not have is absent: it equals
// nothing, so that missing = 'x' is false and missing != 'x' is true. One that is
// NULL in the event does too, and can be found with x = NULL. A guard lets an
// event pass when it is true.
//
// Expressions are deterministic: now() is the event's time, and nothing is left
// to chance, because profiles are rebuilt from the events and must come out the
// same.
package expression
