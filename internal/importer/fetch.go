package importer

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// fetch runs the main query and hands over its rows in batches.
func fetch(ctx context.Context, wh *databricks.Warehouse, statement string, batch func([]row) error) error {
	rows, size := make([]row, 0, batchRows), 0
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		full := rows
		rows, size = make([]row, 0, batchRows), 0
		return batch(full)
	}
	for fetched, err := range wh.Stream(ctx, statement) {
		if err != nil {
			return err
		}
		for _, values := range fetched {
			r, err := scan(values)
			if err != nil {
				return err
			}
			rows, size = append(rows, r), size+len(r.data)
			if len(rows) == batchRows || size >= batchBytes {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

func scan(values []driver.Value) (r row, err error) {
	var ok [4]bool
	if len(values) == len(ok) {
		var data string
		r.micros, ok[0] = values[0].(int64)
		r.digest, ok[1] = values[1].(string)
		data, ok[2] = values[2].(string)
		r.recorded, ok[3] = values[3].(int64)
		r.data = []byte(data)
	}
	if ok != [4]bool{true, true, true, true} {
		return r, fmt.Errorf("the warehouse answered the import's query with other types than asked for: %T", values)
	}
	if len(r.data) > maxEventBytes {
		return r, &jobs.Error{
			Code: jobs.CodeFailed, Attribute: "table",
			Summary: fmt.Sprintf("The row with timestamp %d µs and digest %s is %d bytes as JSON", r.micros, r.digest, len(r.data)),
			Detail:  fmt.Sprintf("An event is at most %d bytes, and rows are never cut.", maxEventBytes),
			Next:    "Import from a view that leaves the large column out",
		}
	}
	return r, nil
}
