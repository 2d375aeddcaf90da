package importer

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// jsonOptions make to_json write what it leaves out by default (Apache Spark 4.0):
// the microseconds of timestamps, and columns that are NULL.
const jsonOptions = `map('timestampFormat', "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", ` +
	`'timestampNTZFormat', "yyyy-MM-dd'T'HH:mm:ss.SSSSSS", 'ignoreNullFields', 'false')`

// relation has the SQL expressions that read a snapshot's rows.
type relation struct {
	from string
	// ts is the timestamp in comparisons: the column itself and not a function of
	// it, so that Delta can skip files.
	ts string
	// typed converts an expression of type TIMESTAMP, and at a number of
	// microseconds, to the type of ts.
	typed func(timestamp string) string
	at    func(micros int64) string
	// dates is set when timestamps are whole days.
	dates bool

	// micros is the timestamp in microseconds, row the event's JSON, digest the
	// row's hash, recorded the event's time in microseconds, and tie the JSON of
	// the key columns.
	micros, digest, row, recorded, tie string
	// keys are the key columns.
	keys []string
	// where is the definition's condition; a copy was filtered when it was made.
	where string
}

// relation is that of a version, of the source as it is now, or of a copy.
func (s snapshot) relation() (relation, error) {
	if s.copied != "" {
		r := relation{
			from: s.copied, ts: "lytics_ts",
			typed:  func(timestamp string) string { return "unix_micros(" + timestamp + ")" },
			at:     func(m int64) string { return fmt.Sprintf("%d", m) },
			micros: "lytics_ts", digest: "lytics_digest", row: "lytics_row", recorded: "lytics_recorded",
		}
		for i := range s.table.keys {
			r.keys, r.tie = append(r.keys, copiedKey(i)), "lytics_tie"
		}
		return r, nil
	}
	from, err := databricks.QuoteTable(s.table.name)
	if s.version != nil {
		from = fmt.Sprintf("%s VERSION AS OF %d", from, *s.version)
	}
	r := s.table.relation()
	r.from = from
	return r, err
}

func copiedKey(i int) string { return fmt.Sprintf("lytics_key_%d", i+1) }

func (t *table) relation() relation {
	c := t.timestamp
	r := relation{ts: c.sql, typed: c.typed, dates: strings.EqualFold(c.Type, "DATE"), where: t.where}
	r.at = func(m int64) string { return c.typed(fmt.Sprintf("timestamp_micros(%d)", m)) }
	r.micros, _ = c.micros()
	r.recorded = r.micros
	if t.record != nil {
		own, _ := t.record.micros()
		r.recorded = "coalesce(" + own + ", " + r.micros + ")"
	}
	r.row = rowJSON(t.event, false)
	r.digest = "sha2(" + rowJSON(t.digest, true) + ", 256)"
	for _, k := range t.keys {
		r.keys, r.tie = append(r.keys, k.ordered()), rowJSON(t.keys, true)
	}
	return r
}

// typed converts a TIMESTAMP expression to the column's own type. For a DATE
// column it is the day of that time.
func (c column) typed(timestamp string) string {
	if t := strings.ToUpper(c.Type); t != "TIMESTAMP" {
		return "CAST(" + timestamp + " AS " + t + ")"
	}
	return timestamp
}

// rowJSON writes columns as one JSON object, with their aliases or with the names in the
// table. A digest uses the names with which the generation began, so that a change of case
// changes no digest; the keys of an earlier version use those of the snapshot.
func rowJSON(columns []column, aliases bool) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.sql
		if aliases && c.alias != c.sql {
			list[i] += " AS " + c.alias
		}
	}
	return "to_json(struct(" + strings.Join(list, ", ") + "), " + jsonOptions + ")"
}

// within returns the conditions of a range of timestamps, inclusive.
func (r relation) within(from, to int64) []string {
	var out []string
	switch {
	case from == math.MinInt64:
	case r.dates:
		// The constant becomes a day. A day that begins at or after a timestamp is
		// later than the day of the microsecond before it.
		out = append(out, r.ts+" > "+r.at(from-1))
	default:
		out = append(out, r.ts+" >= "+r.at(from))
	}
	if to != math.MaxInt64 {
		out = append(out, r.ts+" <= "+r.at(to))
	}
	return out
}

// filter is the WHERE clause of conditions and the definition's own.
func (r relation) filter(conditions ...string) string {
	if r.where != "" {
		// On lines of its own, so that a comment at its end does not swallow the
		// parenthesis.
		conditions = append(conditions, "(\n"+r.where+"\n)")
	}
	if len(conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conditions, " AND ")
}

func and(conditions []string) string {
	if len(conditions) == 0 {
		return "true"
	}
	return "(" + strings.Join(conditions, " AND ") + ")"
}

// countStatement counts in one scan of one column. It also reads the warehouse's
// clock, unless the query gives the upper bound.
func countStatement(r relation, q countQuery) string {
	clock, typed := "unix_micros(current_timestamp())", r.typed("current_timestamp()")
	if q.upper != nil {
		clock, typed = fmt.Sprintf("CAST(%d AS BIGINT)", *q.upper), r.at(*q.upper)
	}
	low := q.from
	rows := append(r.within(q.from, math.MaxInt64), r.ts+" <= "+typed)
	future := append(r.within(q.from, math.MaxInt64), r.ts+" > "+typed)
	window := "false"
	if q.window != nil {
		window = and(r.within(q.window.from, q.window.to))
		low = min(low, q.window.from)
	}
	var where []string
	if in := r.within(low, math.MaxInt64); len(in) > 0 {
		where = []string{"(" + r.ts + " IS NULL OR " + and(in) + ")"}
	}
	return fmt.Sprintf("SELECT %s, count_if(%s), min(CASE WHEN %s THEN %s END), max(CASE WHEN %s THEN %s END), "+
		"count_if(%s), max(CASE WHEN %s THEN %s END), count_if(%s IS NULL), count_if(%s) FROM %s%s",
		clock, and(rows), and(rows), r.micros, and(rows), r.micros, and(future), and(future), r.micros, r.ts, window, r.from, r.filter(where...))
}

// histogramStatement counts the rows of ranges of width microseconds.
func histogramStatement(r relation, from, width, to int64) string {
	bucket := fmt.Sprintf("(%s - (%d)) DIV %d", r.micros, from, width)
	return fmt.Sprintf("SELECT min(%s), max(%s), count(*) FROM %s%s GROUP BY %s ORDER BY 1",
		r.micros, r.micros, r.from, r.filter(r.within(from, to)...), bucket)
}

// rowsStatement reads the rows of a query in order.
func rowsStatement(s snapshot, q rowsQuery) (string, error) {
	r, err := s.relation()
	if err != nil {
		return "", err
	}
	switch {
	case q.deletes:
		return deletedRowsStatement(s, q)
	case q.changes != nil:
		return changedRowsStatement(s, q)
	case q.previous != nil:
		return compareStatement(s, r, q)
	}
	selected, names := r.withKeys(q.selected(r))
	conditions := q.conditions(r)
	if p := q.after; p != nil && p.Digest != "" {
		conditions = append(conditions, fmt.Sprintf("(%s > %d OR %s >= %s)", r.micros, p.Micros, r.digest, databricks.Literal(p.Digest)))
	}
	limit := ""
	if q.most > 0 {
		limit = fmt.Sprintf(" LIMIT %d", q.most)
	}
	// The inner query computes the columns of the order once. Spark would evaluate an
	// expression in ORDER BY again for each comparison of two rows.
	return fmt.Sprintf("SELECT %s FROM (SELECT %s FROM %s%s) ORDER BY %s%s", strings.Join(s.answered(q), ", "),
		selected, r.from, r.filter(conditions...), q.order(names), limit), nil
}

// withKeys adds the key columns to a list of selected columns, by names that ORDER BY does not
// resolve to columns of the table.
func (r relation) withKeys(selected string) (columns string, names []string) {
	for i, k := range r.keys {
		names = append(names, copiedKey(i))
		selected += ", " + k + " AS " + names[i]
	}
	return selected, names
}

// order is that of the rows of a query, by the names of the key columns.
func (q rowsQuery) order(keys []string) string {
	order := []string{"lytics_ts", "lytics_digest"}
	if !q.byDigest {
		order = slices.Insert(order, 1, keys...)
	}
	return strings.Join(order, ", ")
}

func (q rowsQuery) conditions(r relation) []string {
	if q.nulls {
		return []string{r.ts + " IS NULL"}
	}
	return r.within(q.from, q.to)
}

// selected are the columns of a page. Their names begin with lytics_, so that
// ORDER BY does not resolve to a column of the table.
func (q rowsQuery) selected(r relation) string {
	ts, recorded := r.micros, r.recorded
	if q.nulls {
		ts = fmt.Sprintf("CAST(%s AS BIGINT)", nullMicros)
		recorded = fmt.Sprintf("coalesce(%s, %d)", recorded, q.upper)
	}
	out := fmt.Sprintf("%s AS lytics_ts, %s AS lytics_digest, %s AS lytics_row, %s AS lytics_recorded", ts, r.digest, r.row, recorded)
	if r.tie != "" {
		out += ", " + r.tie + " AS lytics_tie"
	}
	return out
}

// nullMicros is store.NullMicros in SQL. It is a string that is cast, because the
// literal would be the negation of a number that is too large for a BIGINT.
var nullMicros = fmt.Sprintf("'%d'", int64(store.NullMicros))

// compareStatement is the multiset difference of two versions over a range of
// timestamps: what EXCEPT ALL gives, together with how often each row is in
// either version.
func compareStatement(s snapshot, r relation, q rowsQuery) (string, error) {
	p, err := q.previous.relation()
	if err != nil {
		return "", err
	}
	digests := fmt.Sprintf("SELECT %s AS lytics_ts, %s AS lytics_digest", timestampOf(q.selected(p)), p.digest)
	before := p.from + p.filter(q.conditions(p)...)
	tie := ""
	if r.tie != "" {
		tie = ", max(lytics_tie) AS lytics_tie"
	}
	if s.table.digestCoversEvent() {
		blank := ", CAST(NULL AS STRING), CAST(NULL AS BIGINT)"
		if tie != "" {
			blank += ", CAST(NULL AS STRING)"
		}
		return fmt.Sprintf("SELECT lytics_ts, lytics_digest, max(lytics_row) AS lytics_row, max(lytics_recorded) AS lytics_recorded%s, "+
			"CAST(sum(lytics_now) AS BIGINT) AS lytics_times, CAST(sum(lytics_then) AS BIGINT) AS lytics_before "+
			"FROM (SELECT %s, 1 AS lytics_now, 0 AS lytics_then FROM %s%s UNION ALL %s%s, 0, 1 FROM %s) "+
			"GROUP BY lytics_ts, lytics_digest HAVING sum(lytics_now) > sum(lytics_then) ORDER BY lytics_ts, lytics_digest",
			tie, q.selected(r), r.from, r.filter(q.conditions(r)...), digests, blank, before), nil
	}
	// Rows of one digest may differ in columns that were added after the generation
	// began, so each row is joined with the counts of its digest.
	now := fmt.Sprintf("SELECT %s AS lytics_ts, %s AS lytics_digest", timestampOf(q.selected(r)), r.digest)
	if tie != "" {
		tie = ", lytics_rows.lytics_tie"
	}
	return fmt.Sprintf("SELECT lytics_rows.lytics_ts, lytics_rows.lytics_digest, lytics_row, lytics_recorded%s, "+
		"CAST(1 AS BIGINT) AS lytics_times, lytics_before FROM (SELECT %s FROM %s%s) AS lytics_rows "+
		"JOIN (SELECT lytics_ts, lytics_digest, CAST(sum(lytics_then) AS BIGINT) AS lytics_before "+
		"FROM (%s, 1 AS lytics_now, 0 AS lytics_then FROM %s%s UNION ALL %s, 0, 1 FROM %s) "+
		"GROUP BY lytics_ts, lytics_digest HAVING sum(lytics_now) > sum(lytics_then)) AS lytics_late "+
		"ON lytics_rows.lytics_ts = lytics_late.lytics_ts AND lytics_rows.lytics_digest = lytics_late.lytics_digest "+
		"ORDER BY lytics_rows.lytics_ts, lytics_rows.lytics_digest, lytics_row",
		tie, q.selected(r), r.from, r.filter(q.conditions(r)...), now, r.from, r.filter(q.conditions(r)...), digests, before), nil
}

// timestampOf is the expression of the timestamp in a list of selected columns.
func timestampOf(selected string) string {
	ts, _, _ := strings.Cut(selected, " AS lytics_ts")
	return ts
}
