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
// The functions:
//
//	email(x)               the address in lower case, also of "Ann <ann@x.io>"; NULL when it is none
//	emaildomain(x)         what follows its @
//	tolower(x) toupper(x) trim(x)
//	todate(x)              ISO 8601, or a number of seconds, milliseconds or microseconds since 1970
//	toint(x) tonumber(x)   toint cuts a fraction off; a boolean is 1 or 0, a date its seconds since 1970
//	tobool(x)              true, false, yes, no, t, f, y, n, 1, 0 in any case
//	tostring(x)            as an export would show it
//	hash.sha256(x) hash.md5(x)   in lower-case hexadecimal
//	hash.sip(x)            SipHash-2-4 with the key (0, 1), a signed integer
//	oneof(x, ...)          the first that is not NULL, "" or an empty collection
//	exists(x)              whether x is none of those
//	split(x, sep)          a list
//	join(x, ..., sep)      the texts that are not empty, lists taken apart
//	replace(x, old[, new]) every old by new, or by nothing
//	contains(x, y)         an element of a list, a key of a map, or a part of a text
//	hasprefix(x, y) hassuffix(x, y)
//	len(x)                 elements, keys, or characters
//	count(x)               1; with sum, how many events had x
//	valuect(x)             a map of each value to how often it is there; with sum, a tally
//	set(x, ...)            the distinct values, lists taken apart
//	map(key, value, ...)   a map, without the pairs that have a NULL
//
// There is no function of the present time or of chance: profiles are rebuilt
// from the events, and must come out the same.
package expression
