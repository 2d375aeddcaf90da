package provider_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// world is a disk with data directories on it. Providers come and go, stores
// stay, as they do between Terraform's processes.
type world struct {
	mu     sync.Mutex
	stores map[string]*fakeStore
	made   int
	opened int
	// configs are the configurations that were opened.
	configs []config.Target
	// warehouse is shared: losing a store does not lose the source.
	rows map[jobs.TableName]int
	// token is what the warehouse accepts; empty accepts all.
	token string
	// fail makes runs fail after half of their rows.
	fail *jobs.Error
	// hang makes runs wait until they are cancelled.
	hang bool
	// waiting is called when a run begins to hang.
	waiting func()
	// runnerAlive is what stores say of a runner.
	runnerAlive bool
	// remote is where the runner is that owns all data directories, if any.
	remote string
	// pages is where runs can be looked at; nil for nowhere. It is asked for
	// while a run moves, with mu held.
	pages atomic.Pointer[string]
	// unreadable makes all secrets unreadable.
	unreadable bool
	// broken makes every read of a store fail.
	broken bool
	sent   []string
}

// fakeStore is what one data directory holds.
type fakeStore struct {
	id             string
	seq            int
	authorizations map[string]jobs.Authorization
	tokens         map[string]string
	jobs           map[string]jobs.Job
	confirmed      map[string]bool
	runs           []jobs.Run
	// cursors and streams belong to the import's key and outlive its job.
	cursors   map[string]int
	streams   map[string]int
	fields    map[string]jobs.Field
	mappings  map[string]jobs.Mapping
	audiences map[string]jobs.Audience
}

func newWorld() *world {
	return &world{stores: map[string]*fakeStore{}, rows: map[jobs.TableName]int{{Catalog: "main", Database: "sales", Table: "customers"}: 100}}
}

func (w *world) open(_ context.Context, c config.Target) (jobs.API, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened++
	w.configs = append(w.configs, c)
	api := &fakeAPI{w: w, dir: c.Engine.DataDir}
	if w.remote != "" {
		return elsewhere{api}, nil
	}
	return api, nil
}

// change works on the world under its lock.
func (w *world) change(f func(*world)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w)
}

// only gives the one store there is.
func (w *world) only() *fakeStore {
	for _, s := range w.stores {
		return s
	}
	return nil
}

type fakeAPI struct {
	w   *world
	dir string
}

var _ jobs.API = (*fakeAPI)(nil)

func (a *fakeAPI) Close() error { return nil }

// elsewhere is what a runner does.
type elsewhere struct{ *fakeAPI }

// Place implements jobs.Remote.
func (e elsewhere) Place() string { return e.w.remote }

// RunURL implements jobs.RunLinker.
func (a *fakeAPI) RunURL(runID string) string {
	if at := a.w.pages.Load(); at != nil {
		return *at + runID
	}
	return ""
}

func (a *fakeAPI) Store(_ context.Context, create bool) (jobs.StoreInfo, error) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	s, err := a.store()
	if err != nil && !create {
		return jobs.StoreInfo{}, err
	}
	if s == nil {
		a.w.made++
		s = &fakeStore{
			id: fmt.Sprintf("store-%d", a.w.made), authorizations: map[string]jobs.Authorization{}, tokens: map[string]string{},
			jobs: map[string]jobs.Job{}, confirmed: map[string]bool{}, cursors: map[string]int{}, streams: map[string]int{},
			fields: map[string]jobs.Field{}, mappings: map[string]jobs.Mapping{}, audiences: map[string]jobs.Audience{},
		}
		a.w.stores[a.dir] = s
	}
	return jobs.StoreInfo{ID: s.id, Location: a.dir, RunnerAlive: a.w.runnerAlive}, nil
}

// store wants the lock held.
func (a *fakeAPI) store() (*fakeStore, error) {
	if s := a.w.stores[a.dir]; s != nil {
		return s, nil
	}
	return nil, &jobs.Error{Code: jobs.CodeStore, Summary: "There is no store at " + a.dir, Detail: "The directory does not exist."}
}

// in runs f on the store under the lock.
func in[T any](a *fakeAPI, f func(*fakeStore) (T, error)) (T, error) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	s, err := a.store()
	if err == nil && a.w.broken {
		err = &jobs.Error{Code: jobs.CodeUnreachable, Summary: "The disk does not answer"}
	}
	if err != nil {
		var none T
		return none, err
	}
	return f(s)
}

func missing(what, id string) error {
	return &jobs.Error{Code: jobs.CodeNotFound, Summary: what + " " + id + " does not exist"}
}

func get[T any](m map[string]T, what, id string) (T, error) {
	v, ok := m[id]
	if !ok {
		return v, missing(what, id)
	}
	return v, nil
}

func (s *fakeStore) next(prefix string) string {
	s.seq++
	return fmt.Sprintf("%s-%d", prefix, s.seq)
}

func (a *fakeAPI) CreateAuthorization(_ context.Context, c jobs.AuthorizationChange) (jobs.Authorization, error) {
	return in(a, func(s *fakeStore) (jobs.Authorization, error) {
		if err := a.check(c, ""); err != nil {
			return jobs.Authorization{}, err
		}
		return s.put(a.w, s.next("auth"), c), nil
	})
}

func (a *fakeAPI) UpdateAuthorization(_ context.Context, id string, c jobs.AuthorizationChange) (jobs.Authorization, error) {
	return in(a, func(s *fakeStore) (jobs.Authorization, error) {
		was, err := get(s.authorizations, "authorization", id)
		if err != nil {
			return was, err
		}
		if was.Host != c.Host && c.Token == nil && c.TokenEnv == "" {
			return was, jobs.Invalid("host", "A changed host needs the token again", "", "")
		}
		if err := a.check(c, s.tokens[id]); err != nil {
			return was, err
		}
		return s.put(a.w, id, c), nil
	})
}

func (s *fakeStore) put(w *world, id string, c jobs.AuthorizationChange) jobs.Authorization {
	if c.Token != nil {
		s.tokens[id] = c.Token.Reveal()
		w.sent = append(w.sent, c.Token.Reveal())
	}
	if c.TokenEnv != "" {
		delete(s.tokens, id)
	}
	v := jobs.Authorization{ID: id, AuthorizationSpec: c.AuthorizationSpec, SecretReadable: true}
	s.authorizations[id] = v
	return v
}

func (a *fakeAPI) check(c jobs.AuthorizationChange, stored string) error {
	token := stored
	if c.Token != nil {
		token = c.Token.Reveal()
	}
	if !c.CheckConnection || a.w.token == "" || token == a.w.token || c.TokenEnv != "" {
		return nil
	}
	return &jobs.Error{Code: jobs.CodeUnauthorized, Attribute: "token_wo", Summary: "The warehouse refuses the token",
		Detail: c.Host + " answered 401.", Next: "Make a new token."}
}

func (a *fakeAPI) Authorization(_ context.Context, id string) (jobs.Authorization, error) {
	return in(a, func(s *fakeStore) (jobs.Authorization, error) {
		v, err := get(s.authorizations, "authorization", id)
		v.SecretReadable = !a.w.unreadable && s.tokens[id] != ""
		return v, err
	})
}

func (a *fakeAPI) DeleteAuthorization(_ context.Context, id string) error {
	_, err := in(a, func(s *fakeStore) (struct{}, error) {
		for _, j := range s.jobs {
			if j.AuthorizationID == id {
				return struct{}{}, &jobs.Error{Code: jobs.CodeInUse, Summary: "The authorization " + id + " is in use",
					Detail: "The job " + j.Label + " uses it."}
			}
		}
		delete(s.authorizations, id)
		delete(s.tokens, id)
		return struct{}{}, nil
	})
	return err
}

func (s *fakeStore) key(spec jobs.JobSpec) (string, error) {
	auth, err := get(s.authorizations, "authorization", spec.AuthorizationID)
	if err != nil {
		return "", jobs.Invalid("authorization_id", "There is no authorization "+spec.AuthorizationID, "", "")
	}
	return jobs.Key(auth.Host, spec), nil
}

func (a *fakeAPI) CreateJob(_ context.Context, spec jobs.JobSpec) (jobs.Job, error) {
	return in(a, func(s *fakeStore) (jobs.Job, error) {
		if e := spec.Export; e != nil {
			audience, err := s.audience(e.AudienceID)
			if err != nil {
				return jobs.Job{}, jobs.Invalid("audience_id", "There is no audience "+e.AudienceID, "", "Create it first.")
			}
			if e.TableName == "" {
				e.TableName = jobs.ExportTable(audience.Slug)
			}
		}
		key, err := s.key(spec)
		if err != nil {
			return jobs.Job{}, err
		}
		for id, j := range s.jobs {
			if k, _ := s.key(j.JobSpec); k != key {
				continue
			}
			if s.confirmed[id] {
				return jobs.Job{}, &jobs.Error{Code: jobs.CodeConflict, Summary: "Another job moves the same table",
					Detail: "It is " + id + ".", Next: "Import it: terraform import ADDRESS " + id}
			}
			j.JobSpec = spec
			s.jobs[id] = j
			return j, nil
		}
		j := jobs.Job{ID: s.next("job"), JobSpec: spec}
		j.Paused = spec.Schedule != nil && spec.Schedule.Paused != nil && *spec.Schedule.Paused
		s.jobs[j.ID] = j
		return j, nil
	})
}

func (a *fakeAPI) UpdateJob(_ context.Context, id string, spec jobs.JobSpec) (jobs.Job, error) {
	return in(a, func(s *fakeStore) (jobs.Job, error) {
		j, err := get(s.jobs, "job", id)
		if err != nil {
			return j, err
		}
		if _, err := s.key(spec); err != nil {
			return j, err
		}
		j.JobSpec = spec
		if spec.Schedule != nil && spec.Schedule.Paused != nil {
			j.Paused = *spec.Schedule.Paused
		}
		s.jobs[id] = j
		return j, nil
	})
}

func (a *fakeAPI) Job(_ context.Context, id string) (jobs.Job, error) {
	return in(a, func(s *fakeStore) (jobs.Job, error) { return get(s.jobs, "job", id) })
}

func (a *fakeAPI) Jobs(context.Context) ([]jobs.Job, error) {
	return in(a, func(s *fakeStore) ([]jobs.Job, error) {
		list := slices.Collect(maps.Values(s.jobs))
		slices.SortFunc(list, func(x, y jobs.Job) int { return strings.Compare(x.Label+x.ID, y.Label+y.ID) })
		return list, nil
	})
}

func (a *fakeAPI) DeleteJob(_ context.Context, id string) error {
	_, err := in(a, func(s *fakeStore) (struct{}, error) {
		delete(s.jobs, id)
		return struct{}{}, nil
	})
	return err
}

func (a *fakeAPI) Confirm(_ context.Context, id string) error {
	_, err := in(a, func(s *fakeStore) (struct{}, error) {
		_, job := s.jobs[id]
		_, auth := s.authorizations[id]
		if !job && !auth {
			return struct{}{}, missing("object", id)
		}
		s.confirmed[id] = true
		return struct{}{}, nil
	})
	return err
}
