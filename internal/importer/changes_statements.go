package importer

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
)

// changesQuery is a query of the rows that were added (lytics_change is 1) or removed
// (-1) between the earlier version of a range and a snapshot, within a condition.
// Its columns are those of a page, the key columns, and when the row was changed.
func (s snapshot) changesQuery(c changeRange, within func(relation) []string) (query string, keys []string, err error) {
	if c.compared != nil {
		return s.comparedChanges(c, within)
	}
	if c.after == *s.version {
		return s.noChanges(c)
	}
	r := s.table.relation()
	quoted, err := databricks.QuoteTable(s.table.name)
	if err != nil {
		return "", nil, err
	}
	alias, err := databricks.Quote(s.table.name.Table)
	if err != nil {
		return "", nil, err
	}
	// The alias is the table's name, so that a condition can name the table.
	r.from = fmt.Sprintf("table_changes(%s, %d, %d) AS %s", databricks.Literal(quoted), c.after+1, *s.version, alias)
	query, keys = r.changedRows(c.lean, "CASE WHEN _change_type IN ('insert', 'update_postimage') THEN 1 ELSE -1 END",
		"_commit_version", "unix_micros(_commit_timestamp)", within(r))
	return query, keys, nil
}

// noChanges is a changesQuery without rows: Delta refuses a feed that begins after the
// newest version (DELTA_CDC_START_VERSION_AFTER_LATEST).
func (s snapshot) noChanges(c changeRange) (query string, keys []string, err error) {
	r, err := s.relation()
	if err != nil {
		return "", nil, err
	}
	query, keys = r.changedRows(c.lean, "1", "1", "unix_micros(current_timestamp())", []string{"false"})
	return query, keys, nil
}

// comparedChanges is a changesQuery of the whole of two versions.
func (s snapshot) comparedChanges(c changeRange, within func(relation) []string) (string, []string, error) {
	now, err := s.relation()
	if err != nil {
		return "", nil, err
	}
	then, err := c.compared.relation()
	if err != nil {
		return "", nil, err
	}
	// Equal digests are equal events; the columns of the earlier version may be others.
	then.row, then.recorded = "CAST(NULL AS STRING)", "CAST(NULL AS BIGINT)"
	at := "unix_micros(current_timestamp())"
	added, keys := now.changedRows(c.lean, "1", "1", at, within(now))
	removed, _ := then.changedRows(c.lean, "-1", "0", at, within(then))
	return added + " UNION ALL " + removed, keys, nil
}

// changedRows selects the columns of a changesQuery, or only those that are counted.
func (r relation) changedRows(lean bool, change, version, at string, within []string) (query string, keys []string) {
	if lean {
		return fmt.Sprintf("SELECT %s AS lytics_ts, %s AS lytics_digest, %s AS lytics_change FROM %s%s",
			r.micros, r.digest, change, r.from, r.filter(within...)), nil
	}
	selected, keys := r.withKeys(rowsQuery{}.selected(r))
	return fmt.Sprintf("SELECT %s, %s AS lytics_change, %s AS lytics_version, %s AS lytics_at FROM %s%s",
		selected, change, version, at, r.from, r.filter(within...)), keys
}

// changedRowsStatement reads the rows that a snapshot has more often than the earlier
// version, and by how many.
func changedRowsStatement(s snapshot, q rowsQuery) (string, error) {
	query, keys, err := s.changesQuery(*q.changes, func(r relation) []string { return r.within(q.from, q.to) })
	if err != nil {
		return "", err
	}
	order := q.order(keys)
	columns, tie := "lytics_ts, lytics_digest, lytics_row, lytics_recorded", ""
	if len(keys) > 0 {
		columns, tie = columns+", lytics_tie", ", max(lytics_tie) AS lytics_tie"
	}
	after := ""
	if p := q.after; p != nil && p.Digest != "" {
		after = fmt.Sprintf(" WHERE (lytics_ts > %d OR lytics_digest >= %s)", p.Micros, databricks.Literal(p.Digest))
	}
	if s.table.digestCoversEvent() {
		for _, k := range keys {
			tie += fmt.Sprintf(", max(%s) AS %s", k, k)
		}
		return fmt.Sprintf("SELECT %s, lytics_times, CAST(0 AS BIGINT) AS lytics_before FROM (SELECT lytics_ts, lytics_digest, "+
			"max(lytics_row) AS lytics_row, max(lytics_recorded) AS lytics_recorded%s, CAST(sum(lytics_change) AS BIGINT) AS lytics_times "+
			"FROM (%s)%s GROUP BY lytics_ts, lytics_digest HAVING sum(lytics_change) > 0) ORDER BY %s",
			columns, tie, query, after, order), nil
	}
	// Rows of one digest may differ in columns that were added after the generation
	// began: of the added rows, the latest are sent, each as it is.
	return fmt.Sprintf("SELECT %s, CAST(1 AS BIGINT) AS lytics_times, CAST(0 AS BIGINT) AS lytics_before FROM (SELECT *, "+
		"sum(lytics_change) OVER (PARTITION BY lytics_ts, lytics_digest) AS lytics_net, row_number() OVER (PARTITION BY lytics_ts, "+
		"lytics_digest ORDER BY lytics_change DESC, lytics_version DESC, lytics_row) AS lytics_number FROM (%s)%s) "+
		"WHERE lytics_change = 1 AND lytics_number <= lytics_net ORDER BY %s, lytics_number", columns, query, after, order), nil
}

// deletedRowsStatement reads the keys of which fewer rows are left than there were, and
// by how many. Removed rows count if they were sent: the query's range is that of the
// timestamps that were read. Changes that cancel each other are taken out before: a row
// that came and went between the two versions was never sent, and its key is not lost.
func deletedRowsStatement(s snapshot, q rowsQuery) (string, error) {
	query, _, err := s.changesQuery(*q.changes, func(relation) []string { return nil })
	if err != nil {
		return "", err
	}
	sent := fmt.Sprintf("lytics_ts >= %s AND lytics_ts <= %d", microsSQL(q.from), q.to)
	if q.nulls {
		sent = "(lytics_ts IS NULL OR " + sent + ")"
	}
	net := "SELECT lytics_tie, lytics_ts, sum(lytics_change) AS lytics_net, max(CASE WHEN lytics_change = -1 THEN lytics_at END) " +
		"AS lytics_removed_at FROM (" + query + ") GROUP BY lytics_tie, lytics_ts, lytics_digest"
	const at = "max(lytics_removed_at)"
	return fmt.Sprintf("SELECT %s AS lytics_ts, sha2(lytics_tie, 256) AS lytics_digest, lytics_tie AS lytics_row, %s AS lytics_recorded, "+
		"lytics_tie, CAST(-sum(lytics_net) AS BIGINT) AS lytics_times, CAST(0 AS BIGINT) AS lytics_before FROM (%s) "+
		"WHERE lytics_net > 0 OR %s GROUP BY lytics_tie HAVING sum(lytics_net) < 0 ORDER BY lytics_tie", at, at, net, sent), nil
}

// microsSQL is a timestamp in SQL. The least one is a string that is cast, because the
// literal would be the negation of a number that is too large for a BIGINT.
func microsSQL(m int64) string { return fmt.Sprintf("CAST('%d' AS BIGINT)", m) }

// countChangesStatement counts the changes of a range in one scan of them.
func countChangesStatement(s snapshot, q changeCountQuery) (string, error) {
	q.changes.lean = true
	query, _, err := s.changesQuery(q.changes, func(relation) []string { return nil })
	if err != nil {
		return "", err
	}
	clock := "unix_micros(current_timestamp())"
	if q.upper != nil {
		clock = fmt.Sprintf("CAST(%d AS BIGINT)", *q.upper)
	}
	above := "lytics_ts >= " + microsSQL(q.unread)
	rows, future := above+" AND lytics_ts <= "+clock, above+" AND lytics_ts > "+clock
	late := fmt.Sprintf("lytics_ts >= %s AND lytics_ts <= %s", microsSQL(q.from), microsSQL(q.watermark))
	sum := func(condition, value string) string {
		return fmt.Sprintf("coalesce(CAST(sum(CASE WHEN %s THEN %s END) AS BIGINT), 0)", condition, value)
	}
	added := func(condition string) string { return sum(condition+" AND lytics_net > 0", "lytics_net") }
	bound := func(least, condition string) string {
		return fmt.Sprintf("%s(CASE WHEN %s AND lytics_net > 0 THEN lytics_ts END)", least, condition)
	}
	const null, removed = "lytics_ts IS NULL", "lytics_net < 0"
	return "SELECT " + strings.Join([]string{
		clock, added(rows), bound("min", rows), bound("max", rows), added(future), bound("max", future), sum(null, "lytics_net"),
		added(late), added(null), sum(removed, "-lytics_net"),
		sum(fmt.Sprintf("lytics_ts > %s AND %s", microsSQL(q.watermark), removed), "-lytics_net"),
	}, ", ") + " FROM (SELECT lytics_ts, sum(lytics_change) AS lytics_net FROM (" + query + ") GROUP BY lytics_ts, lytics_digest)", nil
}
