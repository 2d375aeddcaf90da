// Package lyticsjobs keeps authorizations and jobs in a Lytics account, where Lytics
// itself executes the jobs: it translates definitions, creates without creating
// twice, starts, and follows a job by its status.
package lyticsjobs

import (
	"context"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
)

// Account is what a Lytics account does with authorizations and jobs.
type Account interface {
	AccountAuth(ctx context.Context, id string) (lytics.AccountAuth, error)
	AccountAuths(ctx context.Context) ([]lytics.AccountAuth, error)
	CreateAccountAuth(ctx context.Context, d lytics.AuthDefinition) (lytics.AccountAuth, error)
	ReplaceAccountAuth(ctx context.Context, id string, d lytics.AuthDefinition) (lytics.AccountAuth, error)
	DeleteAccountAuth(ctx context.Context, id string) error

	AccountJob(ctx context.Context, id string) (lytics.AccountJob, error)
	AccountJobs(ctx context.Context) ([]lytics.AccountJob, error)
	CreateAccountJob(ctx context.Context, d lytics.JobDefinition) (lytics.AccountJob, error)
	ReplaceAccountJob(ctx context.Context, was lytics.AccountJob, d lytics.JobDefinition) (lytics.AccountJob, error)
	SteerAccountJob(ctx context.Context, id, action string) error
	AccountJobLog(ctx context.Context, id string) ([]jobs.LogLine, error)
}

var _ Account = (*lytics.Platform)(nil)

// After a creation whose answer was lost, the account is searched for the object
// this often, with a pause before each search. It is created again, once, only if it
// is in none of them, and if Lytics did not accept the creation: an answer of success that
// does not name the object is no reason for a second one.
const (
	searches    = 3
	searchPause = 500 * time.Millisecond
	creations   = 2
)

// createOnce creates an object that Lytics cannot be asked twice for. find lists
// the objects of its natural key, and mine tells which of them an earlier, interrupted
// attempt of the same resource created. conflict is the error for any other.
func createOnce[T any](ctx context.Context, create func() (T, error), find func() ([]T, error), mine func(T) bool,
	conflict func(T) error) (made T, existed bool, err error) {
	before, err := find()
	if err != nil {
		return made, false, err
	}
	for _, o := range before {
		if mine(o) {
			return o, true, nil
		}
	}
	if len(before) > 0 {
		return made, false, conflict(before[0])
	}
	for n := 1; ; n++ {
		if made, err = create(); err == nil || !lytics.Unsure(err) {
			return made, false, err
		}
		for range searches {
			select {
			case <-ctx.Done():
				return made, false, err
			case <-time.After(searchPause):
			}
			found, findErr := find()
			if findErr != nil {
				return made, false, err
			}
			if len(found) > 0 {
				return found[0], false, nil
			}
		}
		if n == creations || lytics.Accepted(err) {
			return made, false, err
		}
	}
}

// CreateJob creates a job in the account and does not start it. mine tells whether a
// job of the same name and workflow is the one that an interrupted attempt created;
// that one is changed to the definition.
func CreateJob(ctx context.Context, a Account, d lytics.JobDefinition, mine func(lytics.AccountJob) bool) (lytics.AccountJob, error) {
	j, existed, err := createOnce(ctx, func() (lytics.AccountJob, error) { return a.CreateAccountJob(ctx, d) },
		func() ([]lytics.AccountJob, error) {
			all, err := a.AccountJobs(ctx)
			var named []lytics.AccountJob
			for _, j := range all {
				if j.Name == d.Name && j.Is(d.Workflow) {
					named = append(named, j)
				}
			}
			return named, err
		}, mine, func(j lytics.AccountJob) error { return taken("job", d.Name, j.ID) })
	if err != nil || !existed {
		return j, err
	}
	return a.ReplaceAccountJob(ctx, j, d)
}

// CreateAuth creates an authorization in the account, as CreateJob does a job.
func CreateAuth(ctx context.Context, a Account, d lytics.AuthDefinition, mine func(lytics.AccountAuth) bool) (lytics.AccountAuth, error) {
	made, existed, err := createOnce(ctx, func() (lytics.AccountAuth, error) { return a.CreateAccountAuth(ctx, d) },
		func() ([]lytics.AccountAuth, error) {
			all, err := a.AccountAuths(ctx)
			var named []lytics.AccountAuth
			for _, x := range all {
				if x.Label == d.Label {
					named = append(named, x)
				}
			}
			return named, err
		}, mine, func(x lytics.AccountAuth) error { return taken("authorization", d.Label, x.ID) })
	if err != nil || !existed {
		return made, err
	}
	return a.ReplaceAccountAuth(ctx, made.ID, d)
}

// taken is the error for an object of the account that this store did not create.
func taken(noun, label, id string) error {
	return &jobs.Error{
		Code: jobs.CodeConflict, Attribute: "label", Summary: fmt.Sprintf("The Lytics account already has a %s %q", noun, label),
		Detail: fmt.Sprintf("It is %s, and this store did not create it. A second one of the same label is not created: after a lost answer, "+
			"the label tells whether Lytics created the %s.", id, noun),
		Next: fmt.Sprintf("Choose another label, or take the existing one over with an import block: id = %q", jobs.LyticsIDPrefix+id),
	}
}
