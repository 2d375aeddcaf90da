package databricks

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Commit is an entry of a Delta table's history.
type Commit struct {
	Version   int64
	Operation string
	// Mode is the mode of a write: "Overwrite" or "Append".
	Mode string
	// OutputRows is the number of rows that it wrote; -1 if unknown.
	OutputRows int64
}

// The positions of columns in DESCRIBE HISTORY, which are the same in all
// releases.
const (
	historyVersion    = 0
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
	rows, err := w.queryTexts(ctx, fmt.Sprintf("DESCRIBE HISTORY %s LIMIT %d", quoted, n))
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
		if rows, err := strconv.ParseInt(textMap(at(row, historyMetrics))["numOutputRows"], 10, 64); err == nil {
			c.OutputRows = rows
		}
	}
	return out, nil
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
