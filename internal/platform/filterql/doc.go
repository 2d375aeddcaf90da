// Package filterql reads and evaluates FilterQL, the language of audiences.
//
//	FILTER AND (
//	    country IN ("US", "CA"),          -- commas or line ends between parts
//	    EXISTS email,
//	    NOT city = "Rome",
//	    last_purchase > "now-30d",        -- s, m, h, d, w, M, y
//	    tags INTERSECTS ("vip", "press"),
//	    scores.momentum > 10,             -- a key of a map
//	    email LIKE "*@example.com",
//	    spend BETWEEN 100 AND 500,        -- between, without the ends
//	    INCLUDE other_audience
//	) FROM user ALIAS name
//
// FILTER, FROM and ALIAS may be left out. `*` is every profile. Parts may also
// be joined as a AND b OR c, where AND binds first.
//
// A field that a profile does not have: every comparison, IN, LIKE, CONTAINS,
// BETWEEN, INTERSECTS and EXISTS is false, and != is true. So NOT (age > 10)
// holds for who has no age. An empty string, set or map is something a profile
// has, but it does not EXIST.
//
// A comparison takes the type of the field: age > "5" compares numbers,
// signed_up = "2024-03-01" instants. A string field compares by its bytes with
// a quoted literal, and as a number with a bare one. Of a set, a comparison
// holds when it does for any member; != when = does not hold. A map without a
// key stands for its keys.
package filterql
