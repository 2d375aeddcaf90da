package store

import (
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// dialect holds the differences between the two databases that the shared SQL text
// cannot cover.
type dialect int

const (
	sqlite dialect = iota
	postgres
)

// now is the database's clock in microseconds. All processes use this one clock,
// because the clocks of their machines may differ. On PostgreSQL, a migration
// creates the function unixepoch.
const now = `CAST(unixepoch('subsec') * 1000000 AS BIGINT)`

// rebind replaces each `?` of a query by $1, $2, ... for PostgreSQL, except in
// quoted text and comments.
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
			end = indexAfter(query, i+1, string(c))
		case strings.HasPrefix(query[i:], "--"):
			end = indexAfter(query, i+2, "\n")
		}
		b.WriteString(query[i:end])
		i = end - 1
	}
	return b.String()
}

// indexAfter returns the index behind the next occurrence of end at or after i.
func indexAfter(query string, i int, end string) int {
	if n := strings.Index(query[i:], end); n >= 0 {
		return i + n + len(end)
	}
	return len(query)
}

// arguments converts arguments to values that the database accepts. Booleans become
// integers (SQLite's driver does that by itself). NUL bytes and invalid UTF-8 become
// U+FFFD in both databases: PostgreSQL accepts neither in text, and the text of a
// server's error must not prevent a run from being recorded.
func (d dialect) arguments(args []any) []any {
	out := args
	for i, a := range args {
		converted := d.argument(a)
		if converted == nil {
			continue
		}
		if &out[0] == &args[0] {
			out = slices.Clone(args)
		}
		out[i] = converted
	}
	return out
}

// argument returns the replacement of an argument, or nil if it needs none.
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
	const replacement = string(utf8.RuneError)
	return strings.ReplaceAll(strings.ToValidUTF8(text, replacement), "\x00", replacement)
}

// snapshot is the isolation level of a read-only transaction.
func (d dialect) snapshot() sql.IsolationLevel {
	if d == sqlite {
		return sql.LevelDefault
	}
	return sql.LevelRepeatableRead
}

// Rebind replaces the `?` of a query by the placeholders of this database's driver,
// for code that has its own tables in the database.
func (d *DB) Rebind(query string) string { return d.dialect.rebind(query) }
