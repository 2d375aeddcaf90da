package client_test

import (
	"context"
	"iter"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// recorder is a jobs.API that notes what it is called with, and answers with
// made-up values.
type recorder struct {
	mu      sync.Mutex
	values  *filler
	fail    error
	method  string
	creator string
	args    []any
	results []any
	beats   map[string]int
	retired []string
}

func (r *recorder) note(ctx context.Context, method string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.method, r.args, r.results, r.creator = method, args, nil, jobs.Creator(ctx, "")
}

func give[T any](ctx context.Context, r *recorder, method string, args ...any) (T, error) {
	r.note(ctx, method, args...)
	var out T
	if r.fail != nil {
		return out, r.fail
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.values.fill(reflect.ValueOf(&out).Elem())
	r.results = []any{out}
	return out, nil
}

func (r *recorder) done(ctx context.Context, method string, args ...any) error {
	r.note(ctx, method, args...)
	return r.fail
}

func (r *recorder) Beat(_ context.Context, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.beats == nil {
		r.beats = map[string]int{}
	}
	r.beats[id]++
	return nil
}

func (r *recorder) Retire(_ context.Context, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retired = append(r.retired, id)
	return nil
}

func (r *recorder) Store(ctx context.Context, create bool) (jobs.StoreInfo, error) {
	return give[jobs.StoreInfo](ctx, r, "Store", create)
}

func (r *recorder) CreateAuthorization(ctx context.Context, c jobs.AuthorizationChange) (jobs.Authorization, error) {
	return give[jobs.Authorization](ctx, r, "CreateAuthorization", c)
}

func (r *recorder) UpdateAuthorization(ctx context.Context, id string, c jobs.AuthorizationChange) (jobs.Authorization, error) {
	return give[jobs.Authorization](ctx, r, "UpdateAuthorization", id, c)
}

func (r *recorder) Authorization(ctx context.Context, id string) (jobs.Authorization, error) {
	return give[jobs.Authorization](ctx, r, "Authorization", id)
}

func (r *recorder) DeleteAuthorization(ctx context.Context, id string) error {
	return r.done(ctx, "DeleteAuthorization", id)
}

func (r *recorder) CreateJob(ctx context.Context, s jobs.JobSpec) (jobs.Job, error) {
	return give[jobs.Job](ctx, r, "CreateJob", s)
}

func (r *recorder) UpdateJob(ctx context.Context, id string, s jobs.JobSpec) (jobs.Job, error) {
	return give[jobs.Job](ctx, r, "UpdateJob", id, s)
}

func (r *recorder) Job(ctx context.Context, id string) (jobs.Job, error) {
	return give[jobs.Job](ctx, r, "Job", id)
}

func (r *recorder) PauseJob(ctx context.Context, id string, paused bool) (jobs.Job, error) {
	return give[jobs.Job](ctx, r, "PauseJob", id, paused)
}

func (r *recorder) Jobs(ctx context.Context) ([]jobs.Job, error) {
	return give[[]jobs.Job](ctx, r, "Jobs")
}

func (r *recorder) DeleteJob(ctx context.Context, id string) error {
	return r.done(ctx, "DeleteJob", id)
}

func (r *recorder) Confirm(ctx context.Context, id string) error { return r.done(ctx, "Confirm", id) }

func (r *recorder) StartRun(ctx context.Context, jobID string, reason jobs.Reason) (jobs.Run, error) {
	return give[jobs.Run](ctx, r, "StartRun", jobID, reason)
}

func (r *recorder) WaitRun(ctx context.Context, runID string, _ func(jobs.Run)) (jobs.Run, error) {
	return give[jobs.Run](ctx, r, "WaitRun", runID)
}

func (r *recorder) DryRun(ctx context.Context, jobID string) (jobs.DryRun, error) {
	return give[jobs.DryRun](ctx, r, "DryRun", jobID)
}

func (r *recorder) CancelRun(ctx context.Context, runID string) error {
	return r.done(ctx, "CancelRun", runID)
}

func (r *recorder) Run(ctx context.Context, runID string) (jobs.Run, error) {
	return give[jobs.Run](ctx, r, "Run", runID)
}

func (r *recorder) ListRuns(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error) {
	return give[[]jobs.Run](ctx, r, "ListRuns", f)
}

func (r *recorder) RunLog(ctx context.Context, runID string) ([]jobs.LogLine, error) {
	return give[[]jobs.LogLine](ctx, r, "RunLog", runID)
}

func (r *recorder) Catalogs(ctx context.Context, id, pattern string) ([]jobs.CatalogInfo, error) {
	return give[[]jobs.CatalogInfo](ctx, r, "Catalogs", id, pattern)
}

func (r *recorder) Databases(ctx context.Context, id, catalog, pattern string) ([]jobs.DatabaseInfo, error) {
	return give[[]jobs.DatabaseInfo](ctx, r, "Databases", id, catalog, pattern)
}

func (r *recorder) Tables(ctx context.Context, id, catalog, database, pattern string) ([]jobs.TableInfo, error) {
	return give[[]jobs.TableInfo](ctx, r, "Tables", id, catalog, database, pattern)
}

func (r *recorder) Columns(ctx context.Context, id string, table jobs.TableName, pattern string) ([]jobs.ColumnInfo, error) {
	return give[[]jobs.ColumnInfo](ctx, r, "Columns", id, table, pattern)
}

func (r *recorder) CreateField(ctx context.Context, f jobs.Field) (jobs.Field, error) {
	return give[jobs.Field](ctx, r, "CreateField", f)
}

func (r *recorder) PutField(ctx context.Context, f jobs.Field) (jobs.Field, error) {
	return give[jobs.Field](ctx, r, "PutField", f)
}

func (r *recorder) Field(ctx context.Context, id string) (jobs.Field, error) {
	return give[jobs.Field](ctx, r, "Field", id)
}

func (r *recorder) DeleteField(ctx context.Context, id string) error {
	return r.done(ctx, "DeleteField", id)
}

func (r *recorder) CreateMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error) {
	return give[jobs.Mapping](ctx, r, "CreateMapping", m)
}

func (r *recorder) PutMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error) {
	return give[jobs.Mapping](ctx, r, "PutMapping", m)
}

func (r *recorder) Mapping(ctx context.Context, id string) (jobs.Mapping, error) {
	return give[jobs.Mapping](ctx, r, "Mapping", id)
}

func (r *recorder) DeleteMapping(ctx context.Context, id string) error {
	return r.done(ctx, "DeleteMapping", id)
}

func (r *recorder) CreateAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	return give[jobs.Audience](ctx, r, "CreateAudience", a)
}

func (r *recorder) PutAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	return give[jobs.Audience](ctx, r, "PutAudience", a)
}

func (r *recorder) Audience(ctx context.Context, id string) (jobs.Audience, error) {
	return give[jobs.Audience](ctx, r, "Audience", id)
}

func (r *recorder) DeleteAudience(ctx context.Context, id string) error {
	return r.done(ctx, "DeleteAudience", id)
}

func (r *recorder) Fields(ctx context.Context) ([]jobs.Field, error) {
	return give[[]jobs.Field](ctx, r, "Fields")
}

func (r *recorder) Streams(ctx context.Context) ([]jobs.StreamInfo, error) {
	return give[[]jobs.StreamInfo](ctx, r, "Streams")
}

func (r *recorder) Audiences(ctx context.Context) ([]jobs.Audience, error) {
	return give[[]jobs.Audience](ctx, r, "Audiences")
}

func (r *recorder) AudienceSize(ctx context.Context, id string) (int64, error) {
	return give[int64](ctx, r, "AudienceSize", id)
}

func (r *recorder) Events(ctx context.Context, stream string) iter.Seq2[jobs.Event, error] {
	all, err := give[[]jobs.Event](ctx, r, "Events", stream)
	return sequence(all, err)
}

func (r *recorder) Scan(ctx context.Context, id string, fields []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error) {
	columns, err := give[[]jobs.Field](ctx, r, "Scan", id, fields)
	if err != nil {
		return nil, nil, err
	}
	rows := [][]jobs.Value{{{Text: "1\n2"}, {Null: true}}, {{Text: ""}, {Text: "é<&>"}}}
	r.results = append(r.results, rows)
	return columns, sequence(rows, nil), nil
}

func (r *recorder) Profile(ctx context.Context, id jobs.Identity) (jobs.Profile, error) {
	return give[jobs.Profile](ctx, r, "Profile", id)
}

func (r *recorder) Erase(ctx context.Context, id jobs.Identity, dryRun bool) (jobs.Erasure, error) {
	return give[jobs.Erasure](ctx, r, "Erase", id, dryRun)
}

func (r *recorder) Close() error { return nil }

// sequence gives all, then err.
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

// filler makes up values, each different from all before.
type filler struct {
	n int
	// empty leaves what may be left out.
	empty bool
}

func (f *filler) fill(v reflect.Value) {
	f.n++
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 3, 8, 7, 30, 0, f.n*1000, time.UTC)))
		return
	case reflect.TypeFor[jobs.Secret]():
		v.Set(reflect.ValueOf(jobs.NewSecret("dapi-secret")))
		return
	case reflect.TypeFor[jobs.Reason]():
		v.SetString(string(jobs.ReasonManual))
		return
	case reflect.TypeFor[jobs.CatalogAPI]():
		v.SetString(string(jobs.CatalogSQL))
		return
	case reflect.TypeFor[jobs.Status]():
		v.SetString(string(jobs.StatusFailed))
		return
	case reflect.TypeFor[jobs.Value]():
		v.Set(reflect.ValueOf(jobs.Value{Text: "0.10", Null: false}))
		return
	case reflect.TypeFor[[]byte]():
		v.SetBytes([]byte(`{"a":"<1>","n":123456789012345678901234567890.10}`))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("a/b é<&>\" " + string(rune('A'+f.n%26)))
	case reflect.Bool:
		v.SetBool(!f.empty)
	case reflect.Int, reflect.Int64:
		v.SetInt(1<<53 + int64(f.n))
		if v.Kind() == reflect.Int {
			v.SetInt(int64(f.n))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	case reflect.Pointer:
		if !f.empty {
			v.Set(reflect.New(v.Type().Elem()))
			f.fill(v.Elem())
		}
	case reflect.Slice:
		if !f.empty {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			f.fill(v.Index(0))
			f.fill(v.Index(1))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		if !f.empty {
			item := reflect.New(v.Type().Elem()).Elem()
			f.fill(item)
			v.SetMapIndex(reflect.ValueOf("k é"), item)
		}
	default:
		panic("no values of " + v.Type().String())
	}
}

func sorted(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }
