package client_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
)

// recorder intercepts the calls of the fake. It records the last call and
// answers with generated values, or with the error fail.
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
		if result.Field(0).Len() == 0 { // a profile has a value for each field
			result.Field(1).Set(reflect.ValueOf([][]jobs.Value{{}, {}}))
		}
		r.results = []any{result.Field(0).Interface(), result.Field(1).Interface()}
	default:
		r.values.fill(result)
		r.results = []any{result.Interface()}
	}
	return true, nil
}

// last returns the method, the arguments and the results of the last call.
func (r *recorder) last() (method string, args, results []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.method, r.args, r.results
}

var errUnknownKind = errors.New("an error without a code")

// filler generates values that are all different.
type filler struct {
	n int
	// empty leaves optional values empty.
	empty bool
}

// filled has the values of types that do not allow arbitrary values.
var filled = map[reflect.Type]any{
	reflect.TypeFor[json.RawMessage]():   json.RawMessage(`{"n":12345678901234567890.10}`),
	reflect.TypeFor[jobs.Secret]():       jobs.NewSecret("dapi-secret"),
	reflect.TypeFor[jobs.Reason]():       jobs.ReasonManual,
	reflect.TypeFor[jobs.Role]():         jobs.RoleOperate,
	reflect.TypeFor[jobs.CatalogAPI]():   jobs.CatalogSQL,
	reflect.TypeFor[jobs.CatalogLevel](): jobs.LevelTables,
	reflect.TypeFor[jobs.Manager]():      jobs.ManagedByLytics,
	reflect.TypeFor[jobs.Status]():       jobs.StatusFailed,
	reflect.TypeFor[[]byte]():            []byte(`{"a":"<1>","n":123456789012345678901234567890.10}`),
	reflect.TypeFor[[][]jobs.Value]():    [][]jobs.Value{{{Text: "1\n2"}, {Null: true}}, {{Text: ""}, {Text: "é<&>"}}},
	reflect.TypeFor[jobs.Value]():        jobs.Value{Text: "0.10"},
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
