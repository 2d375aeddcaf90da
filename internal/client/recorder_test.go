package client_test

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
)

// recorder stands in for the fake's own answers: it notes the last call of
// jobs.API and answers with made-up values, or with fail.
type recorder struct {
	*jobstest.Fake
	values *filler
	fail   error

	mu      sync.Mutex
	method  string
	args    []any
	results []any
}

func newRecorder(t *testing.T, values *filler) *recorder {
	t.Helper()
	r := &recorder{Fake: jobstest.New(), values: values}
	env := r.Environment()
	env.Change(func() { env.Intercept = r.intercept })
	return r
}

func (r *recorder) intercept(c *jobstest.Call) (handled bool, err error) {
	if c.Method == "Beat" || c.Method == "Retire" {
		return true, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.method, r.args, r.results = c.Method, c.Args, nil
	if r.fail != nil {
		return true, r.fail
	}
	result := reflect.ValueOf(c.Result).Elem()
	switch result.Type() {
	case reflect.TypeFor[struct{}]():
	case reflect.TypeFor[jobstest.ScanResult]():
		r.values.fill(result)
		r.results = []any{result.Field(0).Interface(), result.Field(1).Interface()}
	default:
		r.values.fill(result)
		r.results = []any{result.Interface()}
	}
	return true, nil
}

// last gives what was called last, with what, and what it answered.
func (r *recorder) last() (method string, args, results []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.method, r.args, r.results
}

var errUnknownKind = errors.New("an error of no kind")

// filler makes up values, each different from all before.
type filler struct {
	n int
	// empty leaves out what may be left out.
	empty bool
}

// filled are the values of types that cannot hold any value.
var filled = map[reflect.Type]any{
	reflect.TypeFor[jobs.Secret]():     jobs.NewSecret("dapi-secret"),
	reflect.TypeFor[jobs.Reason]():     jobs.ReasonManual,
	reflect.TypeFor[jobs.CatalogAPI](): jobs.CatalogSQL,
	reflect.TypeFor[jobs.Status]():     jobs.StatusFailed,
	reflect.TypeFor[[]byte]():          []byte(`{"a":"<1>","n":123456789012345678901234567890.10}`),
	reflect.TypeFor[[][]jobs.Value]():  [][]jobs.Value{{{Text: "1\n2"}, {Null: true}}, {{Text: ""}, {Text: "é<&>"}}},
	reflect.TypeFor[jobs.Value]():      jobs.Value{Text: "0.10"},
}

func (f *filler) fill(v reflect.Value) {
	f.n++
	if value, ok := filled[v.Type()]; ok {
		v.Set(reflect.ValueOf(value))
		return
	}
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Date(2026, 3, 8, 7, 30, 0, f.n*1000, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("a/b é<&>\" " + string(rune('A'+f.n%26)))
	case reflect.Bool:
		v.SetBool(!f.empty)
	case reflect.Int:
		v.SetInt(int64(f.n))
	case reflect.Int64:
		v.SetInt(1<<53 + int64(f.n))
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
