// Package filterql reads and evaluates FilterQL, the language of audiences, as
// Lytics does.
//
//	FILTER AND (
//	    country IN ("US", "CA"),          -- a comma, a line end or a space between conditions
//	    EXISTS email,
//	    NOT city = "Rome",
//	    last_purchase > "now-30d",        -- one unit of y M w d h m s
//	    tags INTERSECTS ("vip", "press"),
//	    scores.momentum > 10,             -- a key of a map
//	    email LIKE "*@example.com",
//	    spend BETWEEN 100 AND 500,        -- without the ends
//	    price * quantity > limit,         -- arithmetic, field to field
//	    tolower(name) = "ann",            -- every function of package expression but match
//	    INCLUDE other_audience
//	) FROM user LIMIT 10 WITH key = "value" ALIAS name
//
// FILTER and the clauses may be left out. `*` is every profile. Conditions may
// also be joined as a AND b OR c, where AND binds first. Strings are in double
// quotes; back-quotes, single quotes and brackets are about names.
//
// A filter matches, does not match, or is unknown; what is unknown matches
// nobody, and neither does its NOT. A field that a profile does not have: every
// comparison, IN, LIKE, CONTAINS and INTERSECTS is false, != is true, BETWEEN and
// the field alone are unknown. So NOT (age > 10) holds for who has no age.
//
// Values of different types: a number compares with a quoted number, a date with
// whatever can be read as one, and a string with a bare number if it is one.
// Anything else is unknown. Strings are equal or not, and have no order. A list
// of strings equals nothing; of a list of times a comparison holds when it does
// for any member. CONTAINS and LIKE hold for a list when they do for any member,
// IN and INTERSECTS compare members, and of a map the keys.
package filterql
