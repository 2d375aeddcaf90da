package engine

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/login"
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
	e.creates.Made(ctx, id)
	return e.saveAuthorization(ctx, db, store.AuthorizationRow{Authorization: jobs.Authorization{ID: id}}, c)
}

// adoptableAuthorization finds an authorization with this label, host and HTTP
// path that a dead process created and no state file is known to hold: the next
// apply adopts it in place of creating a second one. It returns "" for none. A process
// that may have been killed within its lease is waited for, as long as it may look alive.
func (e *Engine) adoptableAuthorization(ctx context.Context, db *store.DB, s jobs.AuthorizationSpec) (string, error) {
	creator, wait := jobs.Creator(ctx, e.instance), newWaitForDeath()
	for {
		rows, err := db.UnconfirmedAuthorizations(ctx)
		if err != nil {
			return "", err
		}
		again := false
		for _, r := range rows {
			if r.Creator == creator || r.Label != s.Label || r.ManagedBy.IsLytics() != s.ManagedBy.IsLytics() ||
				!strings.EqualFold(r.Host, s.Host) ||
				r.HTTPPath != s.HTTPPath {
				continue
			}
			if alive, err := db.AliveHere(r.Creator); err != nil {
				return "", err
			} else if alive {
				continue
			}
			switch life, err := wait.look(ctx, db, r.Creator, creator); {
			case err != nil:
				return "", err
			case life == dead:
				return r.ID, nil
			case life == unsure:
				again = true
			}
		}
		if !again {
			return "", nil
		}
	}
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
	return e.saveAuthorization(ctx, db, row, c)
}

func (e *Engine) saveAuthorization(
	ctx context.Context,
	db *store.DB,
	row store.AuthorizationRow,
	c jobs.AuthorizationChange,
) (jobs.Authorization, error) {
	was, variable, ofLogin := row.Destination(), row.TokenEnv, row.Login.KeepsSecret()
	row.AuthorizationSpec = c.AuthorizationSpec
	// What an earlier release accepted stays accepted only as it was.
	row.PredatesLists = row.PredatesLists && variable == row.TokenEnv && was == row.Destination()
	if err := c.CheckLogin(); err != nil {
		return jobs.Authorization{}, err
	}
	if err := e.checkLists(row); err != nil {
		return jobs.Authorization{}, err
	}
	row.Creator = jobs.Creator(ctx, e.instance)
	secret := c.Token
	if secretAttribute(c.AuthorizationSpec) != "token_wo" {
		secret = c.ClientSecret
	}
	switch {
	case c.TokenEnv != "", c.Login != nil && !c.Login.KeepsSecret():
		row.Sealed = nil
	case secret != nil && !secret.Empty():
		key, err := e.key(ctx, db, createKey)
		if err != nil {
			return jobs.Authorization{}, err
		}
		row.Seal(key, *secret)
	case row.Sealed == nil && c.Login != nil:
		name := c.Login.Kind.SecretAttribute()
		return jobs.Authorization{}, jobs.Invalid(name, fmt.Sprintf("The authorization has no %s", name),
			fmt.Sprintf("The login %q needs it.", string(c.Login.Kind)), fmt.Sprintf("Give %s and raise %s_version", name, name))
	case row.Sealed == nil && c.ClientID != "":
		return jobs.Authorization{}, jobs.Invalid("client_secret_wo", "The authorization has no client secret",
			fmt.Sprintf("An OAuth secret of service principal %s is needed.", c.ClientID),
			"Give client_secret_wo and raise client_secret_wo_version")
	case row.Sealed == nil:
		return jobs.Authorization{}, jobs.Invalid("token_wo", "The authorization has no token",
			"Neither token_wo, nor token_env, nor client_id, nor another login was given.", "Give one of them")
	case row.Destination() != was, row.Login.KeepsSecret() != ofLogin:
		return jobs.Authorization{}, secretBoundElsewhere(row, was)
	}
	if c.ManagedBy.IsLytics() {
		return e.putInLytics(ctx, db, row)
	}
	if c.CheckConnection {
		if err := e.checkConnection(ctx, e.stored(row)); err != nil {
			return jobs.Authorization{}, err
		}
	}
	if err := e.putAuthorization(ctx, db, row); err != nil {
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
	if row.Warnings, err = e.warnings(ctx, db, row); err != nil {
		return jobs.Authorization{}, err
	}
	if row.Login != nil && !row.Login.KeepsSecret() {
		row.SecretReadable = true
		return row.Authorization, nil
	}
	if readable := e.checkTokenEnv(row) == nil; !readable {
		// The warnings say it: Terraform has to read what it is to change.
		row.SecretReadable = true
		return row.Authorization, nil
	}
	_, err = e.token(ctx, row)
	if err != nil && !jobs.IsCode(err, jobs.CodeSecretUnreadable) {
		return jobs.Authorization{}, err
	}
	row.SecretReadable = err == nil
	return row.Authorization, nil
}

// ListAuthorizations implements jobs.Authorizations.
func (e *Engine) ListAuthorizations(ctx context.Context) ([]jobs.Authorization, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return nil, err
	}
	rows, err := db.Authorizations(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]jobs.Authorization, len(rows))
	for i, r := range rows {
		out[i] = r.Authorization
	}
	slices.SortFunc(out, func(a, b jobs.Authorization) int {
		return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
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

// secretBoundElsewhere is the error of a definition that would send the stored secret
// to another destination than the one it was given for.
func secretBoundElsewhere(row store.AuthorizationRow, was jobs.Destination) error {
	attribute := secretAttribute(row.AuthorizationSpec)
	return jobs.Invalid(attribute, fmt.Sprintf("The destination of authorization %s changes and no secret came with it", row.ID),
		fmt.Sprintf("The stored secret was given for %s, and the definition has %s. A secret is never sent to another host, port or scheme, "+
			"as another client, or by another ca_file.", was, row.Destination()),
		fmt.Sprintf("Give %s again and change %s_version", attribute, attribute))
}

// secretAttribute is the attribute that gives the definition's stored secret.
func secretAttribute(s jobs.AuthorizationSpec) string {
	switch {
	case s.Login.KeepsSecret():
		return s.Login.Kind.SecretAttribute()
	case s.ClientID != "":
		return "client_secret_wo"
	}
	return "token_wo"
}

// token reads the credential where it is kept: a token, or the secret for which tokens are
// issued. For one in the environment that
// is not set the error is CodeInvalid, so that Read does not mistake it for a
// stored secret.
func (e *Engine) token(ctx context.Context, row store.AuthorizationRow) (jobs.Secret, error) {
	if row.TokenEnv != "" {
		if err := e.checkTokenEnv(row); err != nil {
			return jobs.Secret{}, err
		}
		text := e.options.Getenv(row.TokenEnv)
		if text == "" {
			return jobs.Secret{}, jobs.Invalid("token_env", fmt.Sprintf("The environment variable %s is empty", row.TokenEnv),
				fmt.Sprintf("Authorization %s reads its token there, in the process that executes the run.", row.ID), "Set the variable and run again")
		}
		return jobs.NewSecret(text), nil
	}
	key, err := e.key(ctx, e.db, readKey)
	if err != nil {
		return jobs.Secret{}, err
	}
	return row.Open(key)
}

// databricksConfig is the connection to an authorization's workspace.
func (e *Engine) databricksConfig(row store.AuthorizationRow) databricks.Config {
	return e.workspaceConfig(row, func(ctx context.Context) (jobs.Secret, error) { return e.token(ctx, row) })
}

// workspaceConfig is databricksConfig with another source of the credential.
func (e *Engine) workspaceConfig(row store.AuthorizationRow, read func(context.Context) (jobs.Secret, error)) databricks.Config {
	c := e.options.workspace(row.AuthorizationSpec, credential{
		read: read, roots: e.rootCAs(row), check: func() error { return e.checkLoginAllowed(row) },
	})
	c.HTTPPath, c.LoopbackHosts = row.HTTPPath, e.acceptsLoopback(row)
	return c
}

// credential is what a connection needs to get access tokens.
type credential struct {
	// read returns the token, or the secret of the client or of the login.
	read  func(context.Context) (jobs.Secret, error)
	roots func() (*x509.CertPool, error)
	// check, if set, refuses a login that the operator does not allow.
	check func() error
}

// workspace is the connection to a workspace with the host, the port and the login of s.
func (o Options) workspace(s jobs.AuthorizationSpec, by credential) databricks.Config {
	c := databricks.Config{
		Host: s.Host, Port: s.Port, AllowPrivateHosts: o.AllowPrivateHosts, PrivateHosts: o.PrivateHosts, RootCAs: by.roots,
		UserAgent: "lytics_" + o.UserAgent,
	}
	switch {
	case s.Login != nil:
		c.Login = login.New(login.Options{
			Login: *s.Login, Getenv: o.Getenv, AllowPrivateHosts: o.AllowPrivateHosts, PrivateHosts: o.PrivateHosts,
			RootCAs: by.roots, Secret: by.read, Check: by.check,
		})
	case s.ClientID != "":
		c.Client = &databricks.ClientCredentials{ID: s.ClientID, Secret: by.read}
	default:
		c.Token = by.read
	}
	return c
}

// connect opens a session on an authorization's warehouse, with the default
// configuration as set changes it.
func (e *Engine) connect(ctx context.Context, row store.AuthorizationRow, set ...func(*databricks.Config)) (*databricks.Warehouse, error) {
	return e.stored(row).connect(ctx, set...)
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
