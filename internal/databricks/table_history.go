package databricks

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Commit is an entry of a Delta table's history.
type Commit struct {
	Version int64
	// At is when it was committed, if the list that it is in tells for certain: Delta moves
	// the time of a commit that is not later than that of the one before it in the list.
	// Otherwise it is zero.
	At        time.Time
	Operation string
	// Mode is the mode of a write: "Overwrite" or "Append".
	Mode string
	// OutputRows is the number of rows that it wrote; -1 if unknown.
	OutputRows int64
	// Metrics are the operation's metrics, by Databricks' names.
	Metrics map[string]string
}

// The positions of columns in DESCRIBE HISTORY, which are the same in all
// releases.
const (
	historyVersion    = 0
	historyTimestamp  = 1
	historyOperation  = 4
	historyParameters = 5
	historyMetrics    = 12
)

// LatestCommits returns up to n commits of a Delta table, newest first.
func (w *Warehouse) LatestCommits(ctx context.Context, table jobs.TableName, n int) ([]Commit, error) {
	quoted, err := QuoteTable(table)
	if err != nil {
		return nil, err
	}
	rows, err := w.QueryTexts(ctx, fmt.Sprintf("DESCRIBE HISTORY %s LIMIT %d", quoted, n))
	if err != nil {
		return nil, err
	}
	out := make([]Commit, len(rows))
	for i, row := range rows {
		c := &out[i]
		if c.Version, err = strconv.ParseInt(row[historyVersion], 10, 64); err != nil {
			return nil, fmt.Errorf("read the history of %s: %w", quoted, err)
		}
		c.Operation, c.Mode, c.OutputRows = at(row, historyOperation), textMap(at(row, historyParameters))["mode"], -1
		c.Metrics, c.At = textMap(at(row, historyMetrics)), timeOfText(at(row, historyTimestamp))
		if rows, err := strconv.ParseInt(c.Metrics["numOutputRows"], 10, 64); err == nil {
			c.OutputRows = rows
		}
	}
	forgetMovedTimes(out)
	return out, nil
}

// mostListed is how many commits CommitsSince lists at most. Delta opens a file for each.
const mostListed = 10_000

// CommitsSince returns the commits of a Delta table from a version on, newest first. latest is
// the newest version that the caller knows of. If no commit is made meanwhile, the version is
// the oldest of the list, so that its time is certain. A version that is more than 10,000
// commits old is not in the list.
func (w *Warehouse) CommitsSince(ctx context.Context, table jobs.TableName, version, latest int64) ([]Commit, error) {
	if latest-version >= mostListed {
		return nil, nil
	}
	commits, err := w.LatestCommits(ctx, table, int(latest-version)+1)
	if err != nil || len(commits) == 0 {
		return commits, err
	}
	newest, oldest := commits[0].Version, commits[len(commits)-1].Version
	if newest <= latest || oldest <= version || newest-version >= mostListed {
		return commits, nil
	}
	// Commits were made since latest was read. A few more may follow.
	const more = 10
	return w.LatestCommits(ctx, table, int(newest-version)+1+more)
}

// forgetMovedTimes clears the times of the commits that Delta may have moved: those that are a
// millisecond after the commit before them, newest first. It does so with the times of log
// files, which have a resolution of a second in some storages, from the oldest commit of the
// list on: monotonizeCommitTimestamps in
// https://github.com/delta-io/delta/blob/master/spark/src/main/scala/org/apache/spark/sql/delta/DeltaHistoryManager.scala
func forgetMovedTimes(commits []Commit) {
	for i := range len(commits) - 1 {
		if commits[i].At.Sub(commits[i+1].At) == time.Millisecond {
			commits[i].At = time.Time{}
		}
	}
}

// timeOfText reads a timestamp of a result as QueryTexts writes it; zero if it is none. Without
// an offset it is in UTC, the time zone of the session.
func timeOfText(text string) time.Time {
	if f := strings.Fields(text); len(f) > 2 {
		text = strings.Join(f[:3], " ")
	}
	for _, layout := range []string{"2006-01-02 15:04:05.999999999 -0700", "2006-01-02 15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// textMap parses the JSON form of a MAP<STRING, STRING> in a result.
func textMap(text string) map[string]string {
	var m map[string]string
	// A text that is not a map is read as an empty map.
	_ = json.Unmarshal([]byte(text), &m)
	return m
}

// TableDetail is the result of DESCRIBE DETAIL for a Delta table.
type TableDetail struct {
	ID, Comment string
	Clustering  []string
	Partitions  []string
	// Bytes is the size of the latest version, in Files files.
	Bytes, Files int64
}

// Detail reads DESCRIBE DETAIL by column name, because releases add columns.
func (w *Warehouse) Detail(ctx context.Context, table jobs.TableName) (d TableDetail, err error) {
	quoted, err := QuoteTable(table)
	if err != nil {
		return d, err
	}
	rows, err := w.Query(ctx, "DESCRIBE DETAIL "+quoted)
	if err != nil {
		return d, err
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		return d, err
	}
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return d, err
		}
		for i, name := range names {
			text := ""
			if values[i] != nil {
				text = fmt.Sprint(values[i])
			}
			switch name {
			case "id":
				d.ID = text
			case "sizeInBytes":
				d.Bytes, _ = strconv.ParseInt(text, 10, 64) // NULL is 0
			case "numFiles":
				d.Files, _ = strconv.ParseInt(text, 10, 64)
			case "description":
				d.Comment = text
			case "clusteringColumns":
				_ = json.Unmarshal([]byte(text), &d.Clustering) // older releases have none
			case "partitionColumns":
				_ = json.Unmarshal([]byte(text), &d.Partitions)
			}
		}
	}
	return d, rows.Err()
}
