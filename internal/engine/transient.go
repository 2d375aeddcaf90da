package engine

import (
	"cmp"
	"context"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// connector is a way to a workspace: an authorization of the store, or a connection that is
// not saved.
type connector struct {
	e   *Engine
	row store.AuthorizationRow
	// secret is a credential that came with the connection; nil for one that the row
	// refers to or keeps.
	secret *jobs.Secret
}

// stored is the connector of an authorization of the store.
func (e *Engine) stored(row store.AuthorizationRow) connector { return connector{e: e, row: row} }

// transient is the connector of a connection that is not in the store. What the operator
// of this process allows holds for it as for a stored one.
func (e *Engine) transient(c jobs.AuthorizationChange) (connector, error) {
	l := connector{e: e, row: store.AuthorizationRow{Authorization: jobs.Authorization{AuthorizationSpec: c.AuthorizationSpec}}}
	if l.row.Port == 0 {
		l.row.Port = defaultPort
	}
	if l.secret = c.Token; c.ClientID != "" || c.Login.KeepsSecret() {
		l.secret = c.ClientSecret
	}
	if err := c.CheckLogin(); err != nil {
		return l, err
	}
	if refers := c.TokenEnv != "" || c.Login != nil && !c.Login.KeepsSecret(); !refers && l.secret == nil {
		return l, jobs.Invalid("token_env", "The connection has no credential", "A connection that is not saved brings or names its credential.",
			"Name the environment variable that holds the token in token_env, or use an authorization")
	}
	return l, e.checkLists(l.row)
}

// config is the connection to the workspace.
func (l connector) config() databricks.Config {
	if l.secret == nil {
		return l.e.databricksConfig(l.row)
	}
	return l.e.workspaceConfig(l.row, func(context.Context) (jobs.Secret, error) { return *l.secret, nil })
}

// asksUnity reports whether Unity Catalog's REST API is asked about a catalog.
func (l connector) asksUnity(catalog string) bool {
	return l.row.CatalogAPI != jobs.CatalogSQL && databricks.InUnityCatalog(catalog)
}

// unityCatalog returns Unity Catalog's REST API, with the default configuration as set
// changes it. It sends nothing.
func (l connector) unityCatalog(set ...func(*databricks.Config)) (*databricks.UnityCatalog, error) {
	c := l.config()
	c.HTTPPath = cmp.Or(c.HTTPPath, "/") // the API has no warehouse in its path
	for _, f := range set {
		f(&c)
	}
	return databricks.NewUnityCatalog(c)
}

// connect opens a session on the warehouse, with the default configuration as set
// changes it.
func (l connector) connect(ctx context.Context, set ...func(*databricks.Config)) (*databricks.Warehouse, error) {
	c := l.config()
	c.StartTimeout = startTimeout
	if deadline, ok := ctx.Deadline(); ok {
		c.StartTimeout = min(c.StartTimeout, time.Until(deadline))
	}
	for _, f := range set {
		f(&c)
	}
	wh, err := databricks.Open(ctx, c)
	return wh, pointAtSecret(err, l.row)
}
