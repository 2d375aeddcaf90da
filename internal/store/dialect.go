package store

import (
	"database/sql"
	"strconv"
	"strings"
)

// dialect is what the two databases do differently and one text of SQL cannot
// hide.
type dialect int

const (
	sqlite dialect = iota
	postgres
)

// now is the database's clock in microseconds: one clock for all who share the
// store, whatever their own say. PostgreSQL has this unixepoch from a migration.
const now = `CAST(unixepoch('subsec') * 1000000 AS BIGINT)`

// rebind numbers the arguments of a query for PostgreSQL. What is quoted or
// commented is left alone.
func (d dialect) rebind(query string) string {
	if d == sqlite || !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	n := 0
	for i := 0; i < len(query); i++ {
		end := i + 1
		switch c := query[i]; {
		case c == '?':
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			continue
		case c == '\'' || c == '"':
			end = past(query, i+1, string(c))
		case strings.HasPrefix(query[i:], "--"):
			end = past(query, i+2, "\n")
		}
		b.WriteString(query[i:end])
		i = end - 1
	}
	return b.String()
}

// past gives the place after the next end from i on.
func past(query string, i int, end string) int {
	if n := strings.Index(query[i:], end); n >= 0 {
		return i + n + len(end)
	}
	return len(query)
}

// arguments are what the driver takes: truth is an integer in both databases,
// which SQLite's driver sees to itself.
func (d dialect) arguments(args []any) []any {
	if d == sqlite {
		return args
	}
	out := args
	for i, a := range args {
		truth, ok := a.(bool)
		if !ok {
			continue
		}
		if &out[0] == &args[0] {
			out = append([]any(nil), args...)
		}
		out[i] = 0
		if truth {
			out[i] = 1
		}
	}
	return out
}

// snapshot is the isolation of a transaction that only reads.
func (d dialect) snapshot() sql.IsolationLevel {
	if d == sqlite {
		return sql.LevelDefault
	}
	return sql.LevelRepeatableRead
}
