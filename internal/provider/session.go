package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// session is one configured provider's connection to the jobs API. It opens the
// store when something needs it first, so validating a configuration does not
// touch the disk.
type session struct {
	open    func(context.Context, config.Target) (jobs.API, error)
	config  configuration
	planned plannedObjects

	judgements judgements

	mu  sync.Mutex
	api jobs.API
	// shown are the errors of the store that this process has shown.
	shown         map[string]bool
	warnedIgnored sync.Once
	// applying is set when this process has begun to apply: Terraform plans each object
	// again before it applies it, and what the plan says has been read.
	applying atomic.Bool
}

// known reports whether the configuration says which store is meant. Until it
// does, nothing may be opened: a guess would be a different store.
func (s *session) known() bool { return len(s.config.unknown) == 0 }

// connect returns the API and opens it the first time.
func (s *session) connect(ctx context.Context) (jobs.API, error) {
	if !s.known() {
		return nil, &jobs.Error{
			Code:    jobs.CodeStore,
			Summary: "The provider's configuration is not known yet",
			Detail: fmt.Sprintf("The provider's %s depends on a resource that is not created yet, so it is not known which store is meant.",
				strings.Join(s.config.unknown, ", ")),
			Next: "Apply that resource first (terraform apply -target=ADDRESS). " +
				"A data source can wait for it instead: give the data source depends_on with that resource.",
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.api == nil {
		api, err := s.open(ctx, s.config.target)
		if err != nil {
			return nil, err
		}
		s.api = api
	}
	return s.api, nil
}

// privateStoreKey is the key in private state under which the store of an object
// is remembered.
const privateStoreKey = "store"

type storeReference struct {
	ID string `json:"id"`
}

type privateReader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// openForCreate returns the API for creating an object. It creates the store if
// there is none, and remembers the store in the object's private state. If it
// fails, it adds a diagnostic and returns nil.
func (s *session) openForCreate(ctx context.Context, private privateWriter, diags *diag.Diagnostics) jobs.API {
	api, err := s.connect(ctx)
	if err == nil {
		var info jobs.StoreInfo
		if info, err = api.Store(ctx, true); err == nil {
			rememberStore(ctx, private, info.ID, diags)
			s.warnIgnoredAttributes(api, diags)
		}
	}
	if err != nil {
		addError(diags, noAttribute, "open the store", err)
	}
	if diags.HasError() {
		return nil
	}
	return api
}

// openForExisting returns the API for an object in state, if the store is the one
// that the object was created in. In any other store "not found" means nothing:
// believing it would remove everything from state and import it all again.
func (s *session) openForExisting(ctx context.Context, private privateReader, diags *diag.Diagnostics) (jobs.API, jobs.StoreInfo) {
	var want storeReference
	raw, d := private.GetKey(ctx, privateStoreKey)
	diags.Append(d...)
	if raw != nil {
		if err := json.Unmarshal(raw, &want); err != nil {
			diags.AddError("The state does not say which store it belongs to",
				fmt.Sprintf("The provider's private state cannot be read: %v. Restore the state from a backup.", err))
		}
	}
	if diags.HasError() {
		return nil, jobs.StoreInfo{}
	}
	api, err := s.connect(ctx)
	if err != nil {
		addError(diags, noAttribute, "open the store", err)
		return nil, jobs.StoreInfo{}
	}
	info, err := api.Store(ctx, false)
	if err != nil {
		e := toJobsError(err, "open the store")
		diags.AddError(e.Summary, paragraphs(e.Detail, e.Next,
			"Nothing was removed from state, and nothing will be imported again.", s.recoverySteps(want.ID)))
		return nil, jobs.StoreInfo{}
	}
	if want.ID != "" && info.ID != want.ID {
		diags.AddError("This is not the store that the state belongs to", paragraphs(
			fmt.Sprintf("The objects in state are in the store %s, but the store at %s is %s.", want.ID, info.Location, info.ID),
			"Nothing was removed from state, and nothing will be imported again.", s.recoverySteps(want.ID)))
		return nil, jobs.StoreInfo{}
	}
	s.warnIgnoredAttributes(api, diags)
	return api, info
}

// showOnce leaves out the errors that this process has shown before. A plan reads the
// store for each object, and one error fails all of it. An apply needs every error: an
// object whose change did not happen must say so.
func (s *session) showOnce(from diag.Diagnostics, to *diag.Diagnostics) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown == nil {
		s.shown = map[string]bool{}
	}
	for _, d := range from {
		text := d.Summary() + "\n" + d.Detail()
		if d.Severity() == diag.SeverityError && s.shown[text] {
			continue
		}
		s.shown[text] = s.shown[text] || d.Severity() == diag.SeverityError
		to.Append(d)
	}
}

// addStoreError adds the error of a data source that cannot be read. Each data source
// has to fail, and the cause is told once.
func (s *session) addStoreError(e jobs.Error, diags *diag.Diagnostics) {
	var found, shown diag.Diagnostics
	addError(&found, noAttribute, "open the store", &e)
	s.showOnce(found, &shown)
	if len(shown) == 0 {
		shown.AddError(e.Summary, "Another error with this summary tells the cause, and what to do.")
	}
	diags.Append(shown...)
}

// recoverySteps says what to do if the store of the state, with this id, is not
// the one that the provider found.
func (s *session) recoverySteps(id string) string {
	if id == "" {
		id = "of the state"
	}
	target := s.config.target
	var found string
	var steps []string
	switch {
	case target.Runner != nil:
		found = "The provider asked the runner at " + target.Runner.URL
		steps = []string{
			"Point the runner block (or LYTICS_RUNNER_URL) to the runner that has the store " + id + ".",
			"Start the runner on that store: with the data_dir or database_url it had, or after restoring it from a backup.",
		}
	case !target.Engine.DatabaseURL.Empty():
		found = "The provider opened the database of database_url"
		steps = []string{
			"Point database_url (or LYTICS_DATABASE_URL) to the database that holds the store " + id + ".",
			"Restore the database from a backup.",
		}
	default:
		found = "The provider opened " + target.Engine.DataDir
		steps = []string{
			"Point data_dir (or LYTICS_DATA_DIR) to the directory that holds the store " + id + ". " +
				"On a CI worker, keep that directory on a disk that outlives the job, and give every job the same directory.",
			"Restore the directory from a backup.",
		}
	}
	steps = append(steps, "If the store is lost: remove the objects from state (terraform state rm ADDRESS) and apply. "+
		"Cursors and streams were in it, so imports then begin at their since_timestamp.")
	return found + ". To go on, do one of these:\n  - " + strings.Join(steps, "\n  - ")
}

func rememberStore(ctx context.Context, private privateWriter, storeID string, diags *diag.Diagnostics) {
	raw, err := json.Marshal(storeReference{ID: storeID})
	if err != nil {
		diags.AddError("The id of the store cannot be saved in state", err.Error())
		return
	}
	diags.Append(private.SetKey(ctx, privateStoreKey, raw)...)
}
