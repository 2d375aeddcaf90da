package record_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/record"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// fake answers a statement with its words, one per row and one row per batch.
// It fails on the word FAIL.
type fake struct{}

func (fake) OpenSession(context.Context, warehouse.SessionOptions) (warehouse.Session, error) {
	return fake{}, nil
}
func (fake) Close() error                                               { return nil }
func (fake) Objects(context.Context) ([]warehouse.CatalogObject, error) { return nil, nil }
func (fake) Execute(_ context.Context, statement string, _ []warehouse.Parameter) (warehouse.Result, error) {
	if statement == "FAIL" {
		return nil, &warehouse.Error{Class: "X.Y", SQLState: "42000", Message: "no"}
	}
	return &words{left: strings.Fields(statement)}, nil
}

type words struct{ left []string }

func (w *words) field() arrow.Field { return arrow.Field{Name: "w", Type: arrow.BinaryTypes.String} }
func (w *words) Columns() []warehouse.Column {
	return []warehouse.Column{{Name: "w", Type: "STRING", Arrow: w.field()}}
}
func (w *words) Close() error { return nil }
func (w *words) Next(context.Context) (arrow.RecordBatch, error) {
	if len(w.left) == 0 {
		return nil, io.EOF
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{w.field()}, nil))
	defer b.Release()
	b.Field(0).(*array.StringBuilder).Append(w.left[0])
	w.left = w.left[1:]
	return b.NewRecordBatch(), nil
}

func TestStatementsAreRecordedWithDigests(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "recording.jsonl")
	e, err := record.Open(fake{}, path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.OpenSession(t.Context(), warehouse.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	value := "v"
	for _, statement := range []string{"a b b", "b a b", "a b", "FAIL", "unread"} {
		r, err := s.Execute(t.Context(), statement, []warehouse.Parameter{{Type: "STRING", Value: &value}})
		if err != nil {
			continue
		}
		for statement != "unread" {
			batch, err := r.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			batch.Release()
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var got []record.Entry
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var entry record.Entry
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			t.Fatal(err)
		}
		got = append(got, entry)
	}
	if len(got) != 5 {
		t.Fatalf("%d entries", len(got))
	}
	if got[0].Unordered != got[1].Unordered || got[0].Ordered == got[1].Ordered || got[0].Unordered == got[2].Unordered {
		t.Errorf("digests do not tell order from content: %+v", got[:3])
	}
	if got[0].Rows != 3 || !got[0].Complete || got[0].Columns[0] != "w STRING" || *got[0].Parameters[0].Value != "v" {
		t.Errorf("%+v", got[0])
	}
	if got[3].Class != "X.Y" || got[3].SQLState != "42000" || got[4].Complete {
		t.Errorf("%+v", got[3:])
	}
}
