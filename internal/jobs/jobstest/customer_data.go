package jobstest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// byName returns the values of a map, sorted by key.
func byName[T any](m map[string]T) []T {
	var list []T
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[k])
	}
	return list
}

// Fields implements jobs.CustomerData.
func (f *Fake) Fields(ctx context.Context) ([]jobs.Field, error) {
	return read(ctx, f, "Fields", nil, func(s *Store) ([]jobs.Field, error) { return byName(s.Fields), nil })
}

// Mappings implements jobs.CustomerData.
func (f *Fake) Mappings(ctx context.Context) ([]jobs.Mapping, error) {
	return read(ctx, f, "Mappings", nil, func(s *Store) ([]jobs.Mapping, error) {
		list := byName(s.Mappings)
		slices.SortFunc(list, func(a, b jobs.Mapping) int {
			return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Field, b.Field), cmp.Compare(a.GuardExpression, b.GuardExpression))
		})
		return list, nil
	})
}

// The times of the first and the last event of every stream.
var (
	firstEventAt = time.Date(2023, 11, 14, 22, 13, 20, 1000, time.UTC)
	lastEventAt  = time.Date(2023, 11, 14, 22, 14, 20, 0, time.UTC)
)

// Streams implements jobs.CustomerData. Each stream has 8 GiB, so that a client
// that truncates the size to 32 bits fails the test.
func (f *Fake) Streams(ctx context.Context) ([]jobs.StreamInfo, error) {
	return read(ctx, f, "Streams", nil, func(s *Store) ([]jobs.StreamInfo, error) {
		var list []jobs.StreamInfo
		for _, name := range slices.Sorted(maps.Keys(s.Events)) {
			list = append(
				list,
				jobs.StreamInfo{Name: name, Events: int64(s.Events[name]), Bytes: 1 << 33, FirstTime: &firstEventAt, LastTime: &lastEventAt},
			)
		}
		return list, nil
	})
}

// Audiences implements jobs.CustomerData.
func (f *Fake) Audiences(ctx context.Context) ([]jobs.Audience, error) {
	return read(ctx, f, "Audiences", nil, func(s *Store) ([]jobs.Audience, error) {
		list := byName(s.Audiences)
		slices.SortFunc(list, func(a, b jobs.Audience) int { return strings.Compare(a.Slug, b.Slug) })
		return list, nil
	})
}

// AudienceSize implements jobs.CustomerData.
func (f *Fake) AudienceSize(ctx context.Context, idOrSlug string) (int64, error) {
	return read(ctx, f, "AudienceSize", []any{idOrSlug}, func(s *Store) (int64, error) {
		_, err := s.audience(idOrSlug)
		return int64(len(f.env.Profiles)), err
	})
}

// EventLines implements jobs.CustomerData.
func (f *Fake) EventLines(ctx context.Context, stream string) iter.Seq2[[]byte, error] {
	list, err := read(ctx, f, "EventLines", []any{stream}, func(s *Store) ([]jobs.Event, error) {
		n, err := get(s.Events, "stream", stream)
		var list []jobs.Event
		for i := range n {
			list = append(list, jobs.Event{ID: fmt.Sprintf("event-%d", i+1), Time: firstEventAt, Data: fmt.Appendf(nil, `{"row":%d}`, i+1)})
		}
		return list, err
	})
	var lines [][]byte
	for _, e := range list {
		lines = append(lines, EventLine(e))
	}
	return sequence(lines, err)
}

// line is the line of an event, as jobs.CustomerData describes it.
type line struct {
	ID   string          `json:"id"`
	Time time.Time       `json:"time"`
	Data json.RawMessage `json:"data"`
}

// EventLine returns the line of an event.
func EventLine(e jobs.Event) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(line{e.ID, e.Time.UTC(), e.Data}); err != nil {
		panic(err) // a test made an event without JSON
	}
	return out.Bytes()
}

// Events reads the lines that EventLines returns.
func Events(lines iter.Seq2[[]byte, error]) iter.Seq2[jobs.Event, error] {
	return func(yield func(jobs.Event, error) bool) {
		for text, err := range lines {
			if err != nil {
				yield(jobs.Event{}, err)
				return
			}
			for l := range bytes.Lines(text) {
				var e line
				err := json.Unmarshal(l, &e)
				if !yield(jobs.Event{ID: e.ID, Time: e.Time, Data: e.Data}, err) || err != nil {
					return
				}
			}
		}
	}
}

// Scan implements jobs.CustomerData.
func (f *Fake) Scan(ctx context.Context, idOrSlug string, fields []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error) {
	r, err := read(ctx, f, "Scan", []any{idOrSlug, fields}, func(s *Store) (ScanResult, error) {
		var r ScanResult
		if _, err := s.audience(idOrSlug); err != nil {
			return r, err
		}
		if len(fields) == 0 {
			fields = slices.Sorted(maps.Keys(s.Fields))
		}
		for _, id := range fields {
			column, err := get(s.Fields, "field", id)
			if err != nil {
				return r, jobs.Invalid("fields", "The audience has no field "+id, "The store was read and does not have it.", "Correct it.")
			}
			r.Fields = append(r.Fields, column)
		}
		for _, p := range f.env.Profiles {
			row := make([]jobs.Value, len(r.Fields))
			for i, column := range r.Fields {
				var has bool
				row[i], has = p[column.ID]
				row[i].Null = row[i].Null || !has
			}
			r.Rows = append(r.Rows, row)
		}
		return r, nil
	})
	if err != nil {
		return nil, nil, err
	}
	return r.Fields, sequence(r.Rows, nil), nil
}

// sequence yields all, then err.
func sequence[T any](all []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
		if err != nil {
			var zero T
			yield(zero, err)
		}
	}
}

// Profile implements jobs.CustomerData.
func (f *Fake) Profile(ctx context.Context, id jobs.Identity) (jobs.Profile, error) {
	return read(ctx, f, "Profile", []any{id}, func(s *Store) (jobs.Profile, error) {
		if v, err := get(s.Fields, "field", id.Field); err != nil || !v.IsIdentifier {
			return nil, jobs.Invalid("field", "Field "+id.Field+" is not an identifier", "Only identifiers find a profile.", "Name an identifier.")
		}
		i := f.profileOf(id)
		if i < 0 {
			return nil, &jobs.Error{Code: jobs.CodeNotFound, Attribute: "value", Summary: "No profile has this " + id.Field}
		}
		return maps.Clone(f.env.Profiles[i]), nil
	})
}

func (f *Fake) profileOf(id jobs.Identity) int {
	return slices.IndexFunc(f.env.Profiles, func(p jobs.Profile) bool { v, ok := p[id.Field]; return ok && !v.Null && v.Text == id.Value })
}

// Erase implements jobs.CustomerData. It removes the profile; events have no
// identities here.
func (f *Fake) Erase(ctx context.Context, r jobs.ErasureRequest) (jobs.Erasure, error) {
	return read(ctx, f, "Erase", []any{r}, func(*Store) (jobs.Erasure, error) {
		if r.Conflicts {
			return jobs.Erasure{}, jobs.Invalid("conflicts", "This platform has no conflicts", "It is not a Lytics account.", "Leave it out")
		}
		i := f.profileOf(r.Identity)
		if i >= 0 && !r.DryRun {
			f.env.Profiles = slices.Delete(slices.Clone(f.env.Profiles), i, i+1)
		}
		return jobs.Erasure{Found: i >= 0, Identities: []jobs.Identity{r.Identity}, Streams: []jobs.ErasedEvents{}, Done: !r.DryRun}, nil
	})
}

// ErasureDone implements jobs.CustomerData. Erase is done when it returns.
func (f *Fake) ErasureDone(ctx context.Context, requestID string) (bool, error) {
	return read(ctx, f, "ErasureDone", []any{requestID}, func(*Store) (bool, error) {
		return false, jobs.Invalid("request", "This platform has no requests for erasure", "It is not a Lytics account.", "Leave it out")
	})
}
