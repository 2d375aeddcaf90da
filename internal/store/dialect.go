package store

import (
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
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

// arguments are what both databases take. Truth is an integer, which SQLite's
// driver sees to itself. PostgreSQL's text has no NUL and nothing that is no
// UTF-8: what a server said in an error must not keep a run from being written
// down, so each such part becomes U+FFFD, in either database.
func (d dialect) arguments(args []any) []any {
	out := args
	for i, a := range args {
		fit := d.argument(a)
		if fit == nil {
			continue
		}
		if &out[0] == &args[0] {
			out = slices.Clone(args)
		}
		out[i] = fit
	}
	return out
}

// argument gives what to take instead, nil when an argument will do.
func (d dialect) argument(a any) any {
	switch a := a.(type) {
	case bool:
		switch {
		case d == sqlite:
			return nil
		case a:
			return 1
		default:
			return 0
		}
	case string:
		if !isStorable(a) {
			return storable(a)
		}
	case *string:
		if a != nil && !isStorable(*a) {
			return storable(*a)
		}
	case sql.NullString:
		if a.Valid && !isStorable(a.String) {
			return storable(a.String)
		}
	}
	return nil
}

func isStorable(text string) bool { return strings.IndexByte(text, 0) < 0 && utf8.ValidString(text) }

func storable(text string) string {
	const instead = string(utf8.RuneError)
	return strings.ReplaceAll(strings.ToValidUTF8(text, instead), "\x00", instead)
}

// snapshot is the isolation of a transaction that only reads.
func (d dialect) snapshot() sql.IsolationLevel {
	if d == sqlite {
		return sql.LevelDefault
	}
	return sql.LevelRepeatableRead
}

// Rebind writes the `?` of a query as this database's driver has them, for code
// that keeps tables of its own in the database.
func (d *DB) Rebind(query string) string { return d.dialect.rebind(query) }
