package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// session is one configured provider's way to the product. It opens nothing
// until something needs it, so that validating, or planning only new objects
// from constants, leaves the disk alone.
type session struct {
	open    func(context.Context, config.Target) (jobs.API, error)
	config  configuration
	planned plannedObjects

	mu            sync.Mutex
	api           jobs.API
	warnedIgnored sync.Once
}

// known reports whether the configuration says which store is meant. Until it
// does, nothing may be opened: a guess would be a different store.
func (s *session) known() bool { return len(s.config.unknown) == 0 }

// connect gives the API, opening it the first time.
func (s *session) connect(ctx context.Context) (jobs.API, error) {
	if !s.known() {
		return nil, &jobs.Error{
			Code:    jobs.CodeStore,
			Summary: "The provider's configuration is not known yet",
			Detail: fmt.Sprintf("The provider's %s comes from something that is not created yet, so it is not known which store is meant.",
				strings.Join(s.config.unknown, ", ")),
			Next: "Apply what it depends on first (terraform apply -target=ADDRESS). " +
				"A data source can wait for it instead: give it depends_on with that resource.",
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

// storeKey is where private state remembers the store that holds an object.
const storeKey = "store"

type storeMark struct {
	ID string `json:"id"`
}

type privateReader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// forNew gives the API for creating an object, making the store if there is
// none, and marks the object with it.
func (s *session) forNew(ctx context.Context, private privateWriter, diags *diag.Diagnostics) jobs.API {
	api, err := s.connect(ctx)
	if err == nil {
		var info jobs.StoreInfo
		if info, err = api.Store(ctx, true); err == nil {
			mark(ctx, private, info.ID, diags)
			s.warnIgnoredAttributes(api, diags)
		}
	}
	if err != nil {
		addError(diags, nowhere, "open the store", err)
	}
	if diags.HasError() {
		return nil
	}
	return api
}

// forExisting gives the API for an object that state holds, if the store is
// the one the object was made in. "Not found" in any other store means
// nothing; taking it at its word would drop everything from state and import
// it all again.
func (s *session) forExisting(ctx context.Context, private privateReader, diags *diag.Diagnostics) (jobs.API, jobs.StoreInfo) {
	var want storeMark
	raw, d := private.GetKey(ctx, storeKey)
	diags.Append(d...)
	if raw != nil {
		if err := json.Unmarshal(raw, &want); err != nil {
			diags.AddError("The state names no store",
				fmt.Sprintf("The provider's private part of the state cannot be read: %v. Restore the state from its backup.", err))
		}
	}
	if diags.HasError() {
		return nil, jobs.StoreInfo{}
	}
	api, err := s.connect(ctx)
	if err != nil {
		addError(diags, nowhere, "open the store", err)
		return nil, jobs.StoreInfo{}
	}
	info, err := api.Store(ctx, false)
	if err != nil {
		e := asError(err, "open the store")
		diags.AddError(e.Summary, paragraphs(e.Detail, e.Next,
			"Nothing was removed from state, and nothing will be imported again.", s.waysOut(want.ID)))
		return nil, jobs.StoreInfo{}
	}
	if want.ID != "" && info.ID != want.ID {
		diags.AddError("This is not the store that the state was made with", paragraphs(
			fmt.Sprintf("The state's objects are in the store %s, but the one at %s is %s.", want.ID, info.Location, info.ID),
			"Nothing was removed from state, and nothing will be imported again.", s.waysOut(want.ID)))
		return nil, jobs.StoreInfo{}
	}
	s.warnIgnoredAttributes(api, diags)
	return api, info
}

func (s *session) waysOut(id string) string {
	if id == "" {
		id = "of the state"
	}
	target := s.config.target
	if target.Runner != nil {
		return fmt.Sprintf(`The provider asked the runner at %s. Ways out:
  - Point the runner block (or LYTICS_RUNNER_URL) to the runner that has the store %s.
  - Start the runner on that store: with the data_dir or database_url it had, or after restoring it from a backup.
  - If it is gone for good: remove the objects from state (terraform state rm ADDRESS) and apply. Cursors and streams were in it, so imports then begin at their since_timestamp.`,
			target.Runner.URL, id)
	}
	if !target.Engine.DatabaseURL.Empty() {
		return fmt.Sprintf(`The provider looked at the database of database_url. Ways out:
  - Point database_url (or LYTICS_DATABASE_URL) to the database that holds the store %s.
  - Restore the database from a backup.
  - If it is gone for good: remove the objects from state (terraform state rm ADDRESS) and apply. Cursors and streams were in it, so imports then begin at their since_timestamp.`, id)
	}
	return fmt.Sprintf(`The provider looked at %s. Ways out:
  - Point data_dir (or LYTICS_DATA_DIR) to the directory that holds the store %s. On a CI worker, keep that directory on a disk that outlives the job, and give every job the same one.
  - Restore the directory from a backup.
  - If it is gone for good: remove the objects from state (terraform state rm ADDRESS) and apply. Cursors and streams were in it, so imports then begin at their since_timestamp.`,
		target.Engine.DataDir, id)
}

func mark(ctx context.Context, private privateWriter, storeID string, diags *diag.Diagnostics) {
	raw, err := json.Marshal(storeMark{ID: storeID})
	if err != nil {
		diags.AddError("The store's id cannot be kept", err.Error())
		return
	}
	diags.Append(private.SetKey(ctx, storeKey, raw)...)
}
