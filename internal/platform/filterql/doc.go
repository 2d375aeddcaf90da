// Package filterql parses and evaluates FilterQL, the language of audiences, as Lytics
// does.
//
//	FILTER AND (
//	    country IN ("US", "CA"),          -- a comma, a line end or a space between conditions
//	    EXISTS email,
//	    NOT city = "Rome",
//	    last_purchase > "now-30d",        -- one unit of y M w d h m s
//	    tags INTERSECTS ("vip", "press"),
//	    scores.momentum > 10,             -- a key of a map
//	    email LIKE "*@example.com",
//	    spend BETWEEN 100 AND 500,        -- both bounds are exclusive
//	    price * quantity > limit,         -- arithmetic, field to field
//	    tolower(name) = "ann",            -- every function of package expression except match
//	    INCLUDE other_audience
//	) FROM user LIMIT 10 WITH key = "value" ALIAS name
//
// FILTER and the clauses are optional. `*` matches every profile. Conditions may also
// be joined as a AND b OR c, where AND binds tighter. Strings are in double quotes;
// names may be in back-quotes, single quotes or brackets.
//
// The result of a filter is a match, no match, or unknown. Neither an unknown filter
// nor its NOT matches a profile. If a profile does not have a field, then every
// comparison, IN, LIKE, CONTAINS and INTERSECTS of the field is false, != is true, and
// BETWEEN and the field alone are unknown. So NOT (age > 10) matches a profile without
// an age.
//
// A number can be compared with a quoted number, a date with every value that can be
// read as a date, and a numeric string with a number. The comparison of other values of
// different types is unknown. Strings can be equal, but have no order. A list of strings
// equals no value. A comparison of a list of times is true if it is true for any member.
// CONTAINS and LIKE of a list are true if they are true for any member. IN and
// INTERSECTS compare the members of a list and the keys of a map.
package filterql
