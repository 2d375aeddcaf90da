package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// startTimeout bounds the wait for a stopped warehouse, which Databricks says
// takes up to 5 minutes, where the caller's context has no nearer deadline.
const startTimeout = 10 * time.Minute

// CreateAuthorization implements jobs.Authorizations.
func (e *Engine) CreateAuthorization(ctx context.Context, c jobs.AuthorizationChange) (jobs.Authorization, error) {
	db, err := e.open(ctx, createStore)
	if err != nil {
		return jobs.Authorization{}, err
	}
	id, err := e.adoptableAuthorization(ctx, db, c.AuthorizationSpec)
	if err != nil {
		return jobs.Authorization{}, err
	}
	if id == "" {
		id = store.NewID("auth")
	}
	return e.saveAuthorization(ctx, db, store.AuthorizationRow{Authorization: jobs.Authorization{ID: id}}, c)
}

// adoptableAuthorization finds an authorization with this label, host and HTTP
// path that a dead process created and no state file is known to hold: the next
// apply adopts it in place of creating a second one. It returns "" for none.
func (e *Engine) adoptableAuthorization(ctx context.Context, db *store.DB, s jobs.AuthorizationSpec) (string, error) {
	rows, err := db.UnconfirmedAuthorizations(ctx)
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		if r.Creator == jobs.Creator(ctx, e.instance) || r.Label != s.Label || r.ManagedBy.IsLytics() != s.ManagedBy.IsLytics() ||
			!strings.EqualFold(r.Host, s.Host) ||
			r.HTTPPath != s.HTTPPath {
			continue
		}
		alive, err := db.Alive(ctx, r.Creator)
		if err != nil {
			return "", err
		}
		if !alive {
			return r.ID, nil
		}
	}
	return "", nil
}

// UpdateAuthorization implements jobs.Authorizations.
func (e *Engine) UpdateAuthorization(ctx context.Context, id string, c jobs.AuthorizationChange) (jobs.Authorization, error) {
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return jobs.Authorization{}, err
	}
	row, err := db.Authorization(ctx, id)
	if err != nil {
		return jobs.Authorization{}, err
	}
	if row.ManagedBy.IsLytics() != c.ManagedBy.IsLytics() {
		return jobs.Authorization{}, jobs.Invalid(
			"managed_by",
			fmt.Sprintf("managed_by of authorization %s cannot change in place", id),
			"The jobs that use it stay with the side that executes them.",
			"Create a second authorization, move the jobs to it, then remove this one",
		)
	}
	moved := !strings.EqualFold(row.Host, c.Host)
	if moved && c.Token == nil && c.ClientSecret == nil && c.TokenEnv == "" {
		attribute := secretAttribute(c.AuthorizationSpec)
		return jobs.Authorization{}, jobs.Invalid(attribute, fmt.Sprintf("The host of authorization %s changes and no secret came with it", id),
			fmt.Sprintf("The stored secret was given for %s and is never sent to another host.", row.Host),
			fmt.Sprintf("Give %s for the new host and change %s_version", attribute, attribute))
	}
	return e.saveAuthorization(ctx, db, row, c)
}

func (e *Engine) saveAuthorization(
	ctx context.Context,
	db *store.DB,
	row store.AuthorizationRow,
	c jobs.AuthorizationChange,
) (jobs.Authorization, error) {
	if err := databricks.ValidateHost(c.Host, e.options.AllowPrivateHosts); err != nil {
		return jobs.Authorization{}, err
	}
	// The stored secret is a token, or it is a certain service principal's.
	sameKind := row.Sealed != nil && row.ClientID == c.ClientID
	row.AuthorizationSpec = c.AuthorizationSpec
	row.Creator = jobs.Creator(ctx, e.instance)
	secret := c.Token
	if c.ClientID != "" {
		secret = c.ClientSecret
	}
	switch {
	case c.TokenEnv != "":
		row.Sealed = nil
	case secret != nil && !secret.Empty():
		key, err := e.key(createKey)
		if err != nil {
			return jobs.Authorization{}, err
		}
		row.Sealed = key.Seal(*secret, row.ID, c.Host)
	case !sameKind && c.ClientID != "":
		return jobs.Authorization{}, jobs.Invalid(
			"client_secret_wo",
			"The authorization has no client secret",
			fmt.Sprintf(
				"An OAuth secret of service principal %s is needed.",
				c.ClientID,
			),
			"Give client_secret_wo and raise client_secret_wo_version",
		)
	case !sameKind:
		return jobs.Authorization{}, jobs.Invalid("token_wo", "The authorization has no token",
			"Neither token_wo, nor token_env, nor client_id was given.", "Give one of the three")
	}
	if c.ManagedBy.IsLytics() {
		return e.putInLytics(ctx, db, row)
	}
	if c.CheckConnection {
		wh, err := e.connect(ctx, row)
		if err != nil {
			return jobs.Authorization{}, err
		}
		if err := wh.Close(); err != nil {
			return jobs.Authorization{}, err
		}
	}
	if err := db.PutAuthorization(ctx, row); err != nil {
		return jobs.Authorization{}, err
	}
	return e.Authorization(ctx, row.ID)
}

// Authorization implements jobs.Authorizations.
func (e *Engine) Authorization(ctx context.Context, id string) (jobs.Authorization, error) {
	if id, ok := lyticsID(id); ok {
		row, err := e.adoptAuthorization(ctx, id)
		if err != nil {
			return jobs.Authorization{}, err
		}
		return e.Authorization(ctx, row.ID)
	}
	db, err := e.open(ctx, readStore)
	if err != nil {
		return jobs.Authorization{}, err
	}
	row, err := db.Authorization(ctx, id)
	if err != nil {
		return jobs.Authorization{}, err
	}
	if row, err = e.showInLytics(ctx, row); err != nil {
		return jobs.Authorization{}, err
	}
	_, err = e.token(row)
	if err != nil && !jobs.IsCode(err, jobs.CodeSecretUnreadable) {
		return jobs.Authorization{}, err
	}
	row.SecretReadable = err == nil
	return row.Authorization, nil
}

// DeleteAuthorization implements jobs.Authorizations.
func (e *Engine) DeleteAuthorization(ctx context.Context, id string) error {
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return err
	}
	row, err := db.Authorization(ctx, id)
	if err == nil && row.ManagedBy.IsLytics() {
		return e.deleteInLytics(ctx, db, row)
	}
	if err != nil && !jobs.IsCode(err, jobs.CodeNotFound) {
		return err
	}
	return db.DeleteAuthorization(ctx, id)
}

// secretAttribute is the attribute that gives the definition's stored secret.
func secretAttribute(s jobs.AuthorizationSpec) string {
	if s.ClientID != "" {
		return "client_secret_wo"
	}
	return "token_wo"
}

// token reads the credential where it is kept. For one in the environment that
// is not set the error is CodeInvalid, so that Read does not mistake it for a
// stored secret.
func (e *Engine) token(row store.AuthorizationRow) (jobs.Secret, error) {
	if row.TokenEnv != "" {
		text := e.options.Getenv(row.TokenEnv)
		if text == "" {
			return jobs.Secret{}, jobs.Invalid("token_env", fmt.Sprintf("The environment variable %s is empty", row.TokenEnv),
				fmt.Sprintf("Authorization %s reads its token there, in the process that executes the run.", row.ID), "Set the variable and run again")
		}
		return jobs.NewSecret(text), nil
	}
	key, err := e.key(readKey)
	if err != nil {
		return jobs.Secret{}, err
	}
	return key.Open(row.Sealed, row.ID, row.Host)
}

// databricksConfig is the connection to an authorization's workspace.
func (e *Engine) databricksConfig(row store.AuthorizationRow) databricks.Config {
	c := databricks.Config{
		Host: row.Host, Port: row.Port, HTTPPath: row.HTTPPath,
		AllowPrivateHosts: e.options.AllowPrivateHosts,
		UserAgent:         e.options.UserAgent,
	}
	if row.ClientID != "" {
		c.Client = &databricks.ClientCredentials{
			ID: row.ClientID, Secret: func(context.Context) (jobs.Secret, error) { return e.token(row) },
		}
		return c
	}
	c.Token = func(context.Context) (jobs.Secret, error) { return e.token(row) }
	return c
}

// connect opens a session on an authorization's warehouse, with the default
// configuration as set changes it.
func (e *Engine) connect(ctx context.Context, row store.AuthorizationRow, set ...func(*databricks.Config)) (*databricks.Warehouse, error) {
	c := e.databricksConfig(row)
	c.StartTimeout = startTimeout
	if deadline, ok := ctx.Deadline(); ok {
		c.StartTimeout = min(c.StartTimeout, time.Until(deadline))
	}
	for _, f := range set {
		f(&c)
	}
	wh, err := databricks.Open(ctx, c)
	return wh, pointAtSecret(err, row)
}

// pointAtSecret names, in the error of a refused credential, the attribute that
// gave the credential: the driver knows only token_wo.
func pointAtSecret(err error, row store.AuthorizationRow) error {
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || e.Attribute != "token_wo" {
		return err
	}
	switch {
	case row.TokenEnv != "":
		e.Attribute = "token_env"
	case row.ClientID != "":
		e.Attribute = "client_secret_wo"
	}
	return err
}
