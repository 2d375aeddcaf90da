package importer

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// answeringSink answers each append with the next of its answers.
type answeringSink struct {
	answers []jobs.AppendResult
	err     error
}

func (s *answeringSink) Append(context.Context, string, []jobs.Event, func(*store.Tx, []jobs.RejectedEvent) error) (jobs.AppendResult, error) {
	answer := s.answers[0]
	s.answers = s.answers[1:]
	return answer, s.err
}

func TestRunCountsTheAppendResults(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection lost")
	sink := &answeringSink{answers: []jobs.AppendResult{
		{Written: 3, Erased: 2, Rejected: 5, PossiblyDuplicated: 1},
		{},
		{PossiblyDuplicated: 4, Rejected: 7},
	}}
	progress := &countedProgress{}
	r := &run{imp: &Import{Sink: sink, Progress: progress}}
	for range 2 {
		if _, err := r.append(t.Context(), &eventBatch{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	sink.err = lost
	if _, err := r.append(t.Context(), &eventBatch{}, nil); !errors.Is(err, lost) {
		t.Errorf("a failed append: got error %v, want %v", err, lost)
	}
	// Rows that a failed append rejected are rejected again by the next one.
	want := jobs.Counts{RowsWritten: 3, RowsErased: 2, RowsRejected: 5, PossiblyDuplicated: 5}
	if diff := cmp.Diff(want, progress.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}
