package engine

import (
	"cmp"
	"context"
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticsjobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// putInLytics creates or replaces an authorization of the Lytics account. The row has
// the sealed token: Lytics keeps nothing of an authorization over a change, so that
// every change sends the token again.
func (e *Engine) putInLytics(ctx context.Context, db *store.DB, row store.AuthorizationRow) (jobs.Authorization, error) {
	if err := row.CheckManager(); err != nil {
		return jobs.Authorization{}, err
	}
	account, err := e.lyticsAccount()
	if err != nil {
		return jobs.Authorization{}, err
	}
	token, err := e.token(ctx, row)
	if err != nil {
		return jobs.Authorization{}, err
	}
	d := lytics.AuthDefinition{
		Label: row.Label, Description: row.Description, Host: row.Host, Port: row.Port, HTTPPath: row.HTTPPath, Token: token,
	}
	if row.LyticsID == "" {
		return e.createAuthInLytics(ctx, db, account, row, d)
	}
	made, err := account.ReplaceAccountAuth(ctx, row.LyticsID, d)
	if err != nil {
		return jobs.Authorization{}, err
	}
	if err := e.putAuthorization(ctx, db, row); err != nil {
		return jobs.Authorization{}, err
	}
	if row.CheckConnection && !made.Reaches() {
		return jobs.Authorization{}, unhealthy(row, "It was changed, and jobs that use it will fail.")
	}
	return e.Authorization(ctx, row.ID)
}

// createAuthInLytics creates an authorization in the account. The row is written
// first, so that the next apply recognizes what an interrupted one created.
func (e *Engine) createAuthInLytics(ctx context.Context, db *store.DB, account lyticsjobs.Account, row store.AuthorizationRow,
	d lytics.AuthDefinition) (jobs.Authorization, error) {
	interrupted, err := db.Authorization(ctx, row.ID)
	resumed := err == nil
	if !resumed && !jobs.IsCode(err, jobs.CodeNotFound) {
		return jobs.Authorization{}, err
	}
	if err := e.putAuthorization(ctx, db, row); err != nil {
		return jobs.Authorization{}, err
	}
	made, err := lyticsjobs.CreateAuth(ctx, account, d, func(a lytics.AccountAuth) bool {
		_, err := db.AuthorizationByLyticsID(ctx, a.ID)
		return resumed && isAbandoned(a.Created, interrupted.CreatedAt, err)
	})
	if err != nil {
		ctx := context.WithoutCancel(ctx)
		if !resumed && !lytics.Unsure(err) {
			return jobs.Authorization{}, cmp.Or(db.DeleteAuthorization(ctx, row.ID), err)
		}
		// The next apply finds what this one may have created.
		row.Creator = ""
		return jobs.Authorization{}, cmp.Or(e.putAuthorization(ctx, db, row), err)
	}
	row.LyticsID = made.ID
	if err := e.putAuthorization(context.WithoutCancel(ctx), db, row); err != nil {
		return jobs.Authorization{}, err
	}
	if row.CheckConnection && !made.Reaches() {
		refused := unhealthy(row, "It was deleted again.")
		if err := account.DeleteAccountAuth(ctx, made.ID); err != nil {
			return jobs.Authorization{}, unhealthy(row, fmt.Sprintf("It was created as %s, and could not be deleted again: %v.", made.ID, err))
		}
		if err := db.DeleteAuthorization(ctx, row.ID); err != nil {
			return jobs.Authorization{}, err
		}
		return jobs.Authorization{}, refused
	}
	return e.Authorization(ctx, row.ID)
}

// unhealthy is the error of an authorization with which Lytics cannot connect.
func unhealthy(row store.AuthorizationRow, outcome string) error {
	return &jobs.Error{
		Code: jobs.CodeUnreachable, Attribute: "host",
		Summary: fmt.Sprintf("Lytics cannot connect to the warehouse of authorization %q", row.Label),
		Detail:  "Lytics reports the authorization as unhealthy. " + outcome,
		Next: "Check host, http_path and token, that Lytics' addresses may reach the warehouse, and that the warehouse is running: " +
			"a start takes up to 5 minutes. check_connection = false accepts the authorization as it is",
	}
}

// showInLytics gives an authorization as Lytics has it. Lytics answers its label and
// description alone.
func (e *Engine) showInLytics(ctx context.Context, row store.AuthorizationRow) (store.AuthorizationRow, error) {
	if !row.ManagedBy.IsLytics() || row.LyticsID == "" {
		return row, nil
	}
	account, err := e.lyticsAccount()
	if err != nil {
		return row, err
	}
	a, err := account.AccountAuth(ctx, row.LyticsID)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return row, notInLytics("authorization", row.ID, row.LyticsID)
	}
	row.Label, row.Description = a.Label, a.Description
	return row, err
}

// notInLytics is the error of an object that the Lytics account does not have any
// more.
func notInLytics(noun, id, lyticsID string) error {
	return &jobs.Error{
		Code: jobs.CodeNotFound, Summary: fmt.Sprintf("Lytics has no %s %s", noun, lyticsID),
		Detail: fmt.Sprintf("It stood for %s %s of this store, and was deleted in Lytics.", noun, id), Next: "Apply again to create it",
	}
}

// adoptAuthorization returns the row that stands for an authorization of the account,
// and makes one where there is none. Lytics tells nothing of its config: the next
// apply sends it.
func (e *Engine) adoptAuthorization(ctx context.Context, id string) (store.AuthorizationRow, error) {
	db, err := e.open(ctx, createStore)
	if err != nil {
		return store.AuthorizationRow{}, err
	}
	row, err := db.AuthorizationByLyticsID(ctx, id)
	if !jobs.IsCode(err, jobs.CodeNotFound) {
		return row, err
	}
	account, err := e.lyticsAccount()
	if err != nil {
		return row, err
	}
	a, err := account.AccountAuth(ctx, id)
	if err != nil {
		return row, err
	}
	row = store.AuthorizationRow{
		Authorization: jobs.Authorization{
			ID: store.NewID("auth"), LyticsID: id,
			AuthorizationSpec: jobs.AuthorizationSpec{
				Label: a.Label, Description: a.Description, Port: defaultPort, ManagedBy: jobs.ManagedByLytics,
				CatalogAPI: jobs.CatalogREST, CheckConnection: true,
			},
		},
		Creator: jobs.Creator(ctx, e.instance),
	}
	if err := e.putAuthorization(ctx, db, row); err != nil {
		return row, err
	}
	return db.Authorization(ctx, row.ID)
}

// defaultPort is the port of a warehouse.
const defaultPort = 443

// deleteInLytics deletes an authorization of the account, unless jobs use it.
func (e *Engine) deleteInLytics(ctx context.Context, db *store.DB, row store.AuthorizationRow) error {
	if err := e.forgetKilled(ctx, db, func(j store.JobRow) bool { return j.AuthorizationID == row.ID }); err != nil {
		return err
	}
	all, err := db.Jobs(ctx)
	if err != nil {
		return err
	}
	for _, j := range all {
		if j.AuthorizationID == row.ID {
			return db.DeleteAuthorization(ctx, row.ID) // it refuses, and names the jobs
		}
	}
	if row.LyticsID != "" {
		account, err := e.lyticsAccount()
		if err != nil {
			return err
		}
		if err := account.DeleteAccountAuth(ctx, row.LyticsID); err != nil && !jobs.IsCode(err, jobs.CodeNotFound) {
			return err
		}
	}
	return db.DeleteAuthorization(ctx, row.ID)
}
