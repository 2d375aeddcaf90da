package importer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// addTooLong records that the next event of the batch has a row of this many bytes,
// which is too long. tie is the JSON of the key columns, if there are any.
func (b *eventBatch) addTooLong(e jobs.Event, tie []byte, bytes int) {
	if b.tooLong == nil {
		b.tooLong = map[int]jobs.RejectedEvent{}
	}
	b.tooLong[len(b.events)] = jobs.RejectedEvent{
		Event: e, Key: string(tie), Bytes: int64(bytes),
		Reason: fmt.Sprintf("The row has %d bytes as JSON, and an event has at most %d; leave large columns out with exclude_columns",
			bytes, maxEventBytes),
	}
}

// rejectTooLong moves the rows that are too long from the events, which have their
// ids now, to the rejected rows.
func (b *eventBatch) rejectTooLong() {
	if len(b.tooLong) == 0 {
		return
	}
	kept := b.events[:0]
	for k, e := range b.events {
		if r, ok := b.tooLong[k]; ok {
			r.ID = e.ID
			b.rejected = append(b.rejected, r)
			continue
		}
		kept = append(kept, e)
	}
	b.events = kept
}

// withKeys adds the values of the key columns to rows that the platform rejected, as
// far as the events have these columns.
func (i *Import) withKeys(rejected []jobs.RejectedEvent) []jobs.RejectedEvent {
	if len(i.Spec.KeyColumns) == 0 {
		return rejected
	}
	out := slices.Clone(rejected)
	for n := range out {
		out[n].Key = keyOf(out[n].Data, i.Spec.KeyColumns)
	}
	return out
}

// keyOf returns the key columns of a row as a JSON object. Column names ignore case.
func keyOf(row []byte, columns []string) string {
	var parts []string
	gjson.ParseBytes(row).ForEach(func(name, value gjson.Result) bool {
		if slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, name.Str) }) {
			parts = append(parts, name.Raw+":"+value.Raw)
		}
		return true
	})
	if len(parts) == 0 {
		return ""
	}
	return "{" + strings.Join(parts, ",") + "}"
}
