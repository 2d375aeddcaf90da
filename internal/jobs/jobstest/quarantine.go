package jobstest

import (
	"context"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// QuarantinedRows implements jobs.Quarantine.
func (f *Fake) QuarantinedRows(ctx context.Context, filter jobs.QuarantineFilter) (jobs.QuarantineList, error) {
	return answer(ctx, f, "QuarantinedRows", []any{filter}, func() (jobs.QuarantineList, error) {
		out := jobs.QuarantineList{Entries: []jobs.QuarantineEntry{}}
		s, err := f.store()
		if err != nil {
			return out, err
		}
		limit := filter.Limit
		if limit == 0 {
			limit = defaultLimit
		}
		for _, e := range s.Quarantine {
			if filter.JobID != "" && filter.JobID != e.JobID || filter.RunID != "" && filter.RunID != e.RunID {
				continue
			}
			out.Total, out.Rows = out.Total+1, out.Rows+e.Rows
			if !filter.WithData {
				e.Data = nil
			}
			if len(out.Entries) < limit && e.ID > filter.After {
				out.Entries = append(out.Entries, e)
			}
		}
		return out, nil
	})
}

// ResendQuarantined implements jobs.Quarantine. Every row that can be sent is
// accepted.
func (f *Fake) ResendQuarantined(ctx context.Context, jobID string, ids []int64) (jobs.Resent, error) {
	return read(ctx, f, "ResendQuarantined", []any{jobID, ids}, func(s *Store) (out jobs.Resent, err error) {
		j, err := get(s.Jobs, "job", jobID)
		if err != nil {
			return out, err
		}
		if j.Import == nil {
			return out, jobs.Invalid("job", "Job "+jobID+" has no quarantine", "It is an audience export.", "Name a table import")
		}
		s.Quarantine = slices.DeleteFunc(slices.Clone(s.Quarantine), func(e jobs.QuarantineEntry) bool {
			if !isSelected(e, jobID, ids) {
				return false
			}
			if !e.Sendable {
				out.NotSendable++
				return false
			}
			out.Accepted++
			s.Events[e.Stream]++
			return true
		})
		return out, nil
	})
}

// DropQuarantined implements jobs.Quarantine.
func (f *Fake) DropQuarantined(ctx context.Context, jobID string, ids []int64) (int64, error) {
	return read(ctx, f, "DropQuarantined", []any{jobID, ids}, func(s *Store) (int64, error) {
		before := len(s.Quarantine)
		s.Quarantine = slices.DeleteFunc(slices.Clone(s.Quarantine), func(e jobs.QuarantineEntry) bool { return isSelected(e, jobID, ids) })
		n := int64(before - len(s.Quarantine))
		if n > 0 {
			return n, nil
		}
		_, err := get(s.Jobs, "job", jobID)
		return 0, err
	})
}

func isSelected(e jobs.QuarantineEntry, jobID string, ids []int64) bool {
	return e.JobID == jobID && (len(ids) == 0 || slices.Contains(ids, e.ID))
}
