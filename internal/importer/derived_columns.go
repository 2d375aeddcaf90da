package importer

import (
	"bytes"
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
	columns, derived := []string{"lytics_ts"}, s.derivable(q)
	if !derived.Digest {
		columns = append(columns, "lytics_digest")
	}
	columns = append(columns, "lytics_row")
	if !derived.Time {
		columns = append(columns, "lytics_recorded")
	}
	if len(s.table.keys) > 0 {
		columns = append(columns, "lytics_tie")
	}
	return columns
}

// derivable tells which columns of a row follow from the others.
type derivable struct {
	// Digest is set if the digest is the SHA-256 of the text of the event.
	Digest bool `json:"digest,omitempty"`
	// Time is set if an event has the timestamp of its row.
	Time bool `json:"time,omitempty"`
}

func (t *table) derivable() derivable {
	digest := slices.EqualFunc(t.event, t.digest, func(e, d column) bool { return e.sql == d.sql && d.alias == d.sql })
	return derivable{Digest: digest, Time: t.record == nil}
}

// derivable is that of the table, or, for a copy, that of the definition by which it was made:
// a copy has the texts and times of that one.
func (s snapshot) derivable(q rowsQuery) derivable {
	d := s.copyDerivable
	if s.copied == "" {
		d = s.table.derivable()
	}
	return derivable{Digest: d.Digest && !q.counted(), Time: d.Time && !q.counted() && !q.nulls}
}

// withDerivedColumns adds the columns to an answer that it does not have. While it computes
// digests, it checks the order of the rows; see digestsOfRows.
func (s snapshot) withDerivedColumns(answer iter.Seq2[*databricks.Batch, error], q rowsQuery) iter.Seq2[*databricks.Batch, error] {
	derived := s.derivable(q)
	if derived == (derivable{}) {
		return answer
	}
	return func(yield func(*databricks.Batch, error) bool) {
		digests := digestsOfRows{keyOrder: len(s.table.keys) > 0 && !q.byDigest}
		for page, err := range answer {
			if err == nil {
				page, err = derived.complete(page, &digests)
			}
			if !yield(page, err) || err != nil {
				return
			}
		}
	}
}

// complete adds the derived columns to a page.
func (d derivable) complete(page *databricks.Batch, digests *digestsOfRows) (*databricks.Batch, error) {
	micros, err := page.Int64s(0)
	if err != nil {
		return page, unexpectedTypes(err)
	}
	if d.Digest {
		rows, err := page.Texts(1)
		if err != nil {
			return page, unexpectedTypes(err)
		}
		column, err := digests.of(micros, rows)
		if err != nil {
			return page, err
		}
		page = page.InsertColumn(1, column)
	}
	if d.Time {
		page = page.InsertColumn(3, micros)
	}
	return page, nil
}

// digestsOfRows computes the digests of the pages of one answer. It fails if rows do not come
// in the order of their timestamps, or those of one timestamp not in the order of digests, by
// which the warehouse sorted them: the text of an event is then not the one that the warehouse
// computed. Where key columns order the rows of one timestamp, their digests tell nothing.
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
		switch {
		case d.last == nil:
		case m < d.lastMicros:
			return databricks.Texts{}, notInOrder(m, "A row of "+formatMicros(d.lastMicros)+" arrived before.")
		case m == d.lastMicros && !d.keyOrder && bytes.Compare(d.last, digest) > 0:
			return databricks.Texts{}, notInOrder(m, "The warehouse sorts the rows of one timestamp by the SHA-256 of their JSON text. "+
				"By the texts that arrived, the order is another, so a text was changed on the way.")
		}
		d.last, d.lastMicros = digest, m
	}
	return databricks.TextsOfLength(text, length), nil
}

func notInOrder(micros int64, detail string) error {
	return &jobs.Error{Code: jobs.CodeFailed, Summary: "Rows of " + formatMicros(micros) + " did not arrive as the warehouse sorted them",
		Detail: detail, Next: "Run the job again: what was read is kept, and the run goes on after it. If it fails so again, " +
			"look for a proxy that changes what passes, and report the answer to Databricks"}
}
