package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticsjobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// lyticsAccount is the Lytics account that keeps objects with managed_by = "lytics".
// The store is open.
func (e *Engine) lyticsAccount() (lyticsjobs.Account, error) {
	if a, ok := e.platform.(lyticsjobs.Account); ok {
		return a, nil
	}
	return nil, jobs.Invalid("managed_by", "There is no Lytics account to manage the object in",
		"managed_by is \"lytics\", and the customer-data side is the embedded one.",
		"Configure platform.lytics in the provider block or in the runner's configuration, or set managed_by = \"provider\"")
}

// lyticsID is the id that Lytics gave an object, if an id has the form by which such
// objects are imported.
func lyticsID(id string) (string, bool) {
	id, found := strings.CutPrefix(id, jobs.LyticsIDPrefix)
	return id, found && id != ""
}

// createdSkew is how much the clocks of the store and of Lytics may differ.
const createdSkew = 5 * time.Minute

// isAbandoned reports whether an object of the account is the one that an interrupted
// attempt at this row created: it is not older than the row, and no other row stands
// for it.
func isAbandoned(created, rowCreated time.Time, err error) bool {
	return jobs.IsCode(err, jobs.CodeNotFound) && !created.Before(rowCreated.Add(-createdSkew))
}

// checkAuthorizationManager refuses a job and an authorization that are managed by
// different sides.
func checkAuthorizationManager(s jobs.JobSpec, auth store.AuthorizationRow) error {
	if auth.ManagedBy.IsLytics() == s.ManagedBy.IsLytics() {
		return nil
	}
	return otherManager(s, auth.Authorization)
}

// otherManager is the error of a job whose authorization the other side manages.
func otherManager(s jobs.JobSpec, auth jobs.Authorization) error {
	side := func(m jobs.Manager) string {
		if m.IsLytics() {
			return "Lytics"
		}
		return "this provider"
	}
	return jobs.Invalid("authorization_id", fmt.Sprintf("Authorization %q cannot be used by this job", auth.Label),
		fmt.Sprintf("The job is managed by %s, and the authorization by %s: each side has its own credentials.",
			side(s.ManagedBy), side(auth.ManagedBy)),
		"Refer to an authorization with the same managed_by")
}

// forgetKilled removes the rows of jobs that Lytics does not have any more: somebody
// killed them there, and Terraform dropped them from its state.
func (e *Engine) forgetKilled(ctx context.Context, db *store.DB, of func(store.JobRow) bool) error {
	rows, err := db.Jobs(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if !row.ManagedBy.IsLytics() || row.LyticsID == "" || !of(row) {
			continue
		}
		account, err := e.lyticsAccount()
		if err != nil {
			return err
		}
		if _, err = account.AccountJob(ctx, row.LyticsID); jobs.IsCode(err, jobs.CodeNotFound) {
			err = db.ForgetJob(ctx, row.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
