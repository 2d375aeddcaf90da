package importer

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// answered are the columns that the answer to a query of a snapshot's rows has. It does not
// have those that follow from the others: of a typical row they are half of the bytes that
// come over the network, because a digest cannot be compressed.
func (s snapshot) answered(q rowsQuery) []string {
	columns := []string{"lytics_ts"}
	if !s.derivesDigest(q) {
		columns = append(columns, "lytics_digest")
	}
	columns = append(columns, "lytics_row")
	if !s.derivesTime(q) {
		columns = append(columns, "lytics_recorded")
	}
	if len(s.table.keys) > 0 {
		columns = append(columns, "lytics_tie")
	}
	return columns
}

// derivesDigest reports that the digest of a row is the SHA-256 of the text of its event.
func (s snapshot) derivesDigest(q rowsQuery) bool {
	return !q.counted() && slices.EqualFunc(s.table.event, s.table.digest, func(e, d column) bool {
		return e.sql == d.sql && d.alias == d.sql
	})
}

// derivesTime reports that an event has the timestamp of its row.
func (s snapshot) derivesTime(q rowsQuery) bool {
	return !q.counted() && !q.nulls && s.table.record == nil
}

// withDerivedColumns adds the columns to an answer that it does not have. It fails if a
// digest that it computed is not in the order in which the warehouse sorted the rows by
// its own: the text of the event is then not the one that the warehouse computed.
func (s snapshot) withDerivedColumns(answer iter.Seq2[*databricks.Batch, error], q rowsQuery) iter.Seq2[*databricks.Batch, error] {
	digest, recorded := s.derivesDigest(q), s.derivesTime(q)
	if !digest && !recorded {
		return answer
	}
	d := digestsOfRows{keyOrder: len(s.table.keys) > 0 && !q.byDigest}
	return func(yield func(*databricks.Batch, error) bool) {
		for page, err := range answer {
			if err == nil {
				page, err = derived(page, digest, recorded, &d)
			}
			if !yield(page, err) || err != nil {
				return
			}
		}
	}
}

func derived(page *databricks.Batch, digest, recorded bool, d *digestsOfRows) (*databricks.Batch, error) {
	columns := page.All()
	micros, err := page.Int64s(0)
	if err != nil {
		return page, unexpectedTypes(err)
	}
	if digest {
		rows, err := page.Texts(1)
		if err != nil {
			return page, unexpectedTypes(err)
		}
		digests, err := d.of(micros, rows)
		if err != nil {
			return page, err
		}
		columns = slices.Insert(columns, 1, any(digests))
	}
	if recorded {
		columns = slices.Insert(columns, 3, any(micros))
	}
	return databricks.NewBatch(columns...), nil
}

// digestsOfRows computes the digests of the pages of one answer.
type digestsOfRows struct {
	// keyOrder is set if key columns order rows of one timestamp before their digests.
	keyOrder bool
	// last is the digest of the row before, and lastMicros its timestamp.
	last       []byte
	lastMicros int64
}

// of returns the digests of rows: the SHA-256 of each in hexadecimal, as sha2 writes it.
func (d *digestsOfRows) of(micros []int64, rows databricks.Texts) (databricks.Texts, error) {
	const length = 2 * sha256.Size
	text := make([]byte, 0, length*len(micros))
	for i, m := range micros {
		sum := sha256.Sum256(rows.At(i))
		text = hex.AppendEncode(text, sum[:])
		digest := text[len(text)-length:]
		if !d.keyOrder && d.last != nil && cmp.Or(cmp.Compare(d.lastMicros, m), bytes.Compare(d.last, digest)) > 0 {
			return databricks.Texts{}, &jobs.Error{Code: jobs.CodeFailed,
				Summary: "Rows of " + formatMicros(m) + " did not arrive as the warehouse sorted them",
				Detail: "The warehouse sorts the rows of one timestamp by the SHA-256 of their JSON text. By the texts that arrived, " +
					"the order is another, so a text was changed on the way.",
				Next: "Run the job again: what was read is kept, and the run goes on after it"}
		}
		d.last, d.lastMicros = digest, m
	}
	return databricks.TextsOfLength(text, length), nil
}
