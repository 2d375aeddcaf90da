// Package expression is the language of mappings. An expression computes the value of a
// user field from one event, as in Lytics.
//
//	email(email)                                 a function of a column
//	oneof(mobile, phone)                         the first value that is not empty
//	price * quantity                             exact arithmetic
//	todate(address.moved_at)                     a nested value, with a dot
//	`order total`                                any column name, in back-quotes
//	eq(status, "paid"), status = 'paid'          conditions, for guards
//
// The guide lytics-languages describes the functions; lql.Functions lists them.
//
// An expression without a result is NULL: toint("abc"), 1 / 0, a function of a value
// for which it is not defined. A column that an event does not have is absent. It
// equals no value, so that missing = 'x' is false and missing != 'x' is true. A column
// that is NULL in the event equals only NULL: x = NULL finds it. An event passes a
// guard that is true.
//
// Expressions are deterministic, because a rebuild of the profiles from the events must
// give the same result. now() is the event's time.
package expression
