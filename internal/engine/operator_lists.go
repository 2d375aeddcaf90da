package engine

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// checkLists refuses a definition that names a variable or a host that the operator
// of this process did not open.
func (e *Engine) checkLists(row store.AuthorizationRow) error {
	if err := e.databricksConfig(row).ValidateHost(); err != nil {
		return err
	}
	if err := e.checkTokenEnv(row); err != nil {
		return err
	}
	if err := e.checkCAFile(row); err != nil {
		return err
	}
	return e.checkLoginAllowed(row)
}

// checkLoginAllowed refuses a login that the operator of this process did not open:
// whoever may write definitions would otherwise act as the machine, or read its files.
func (e *Engine) checkLoginAllowed(row store.AuthorizationRow) error {
	l := row.Login
	switch {
	case l == nil:
		return nil
	case l.Kind == jobs.LoginEnvOIDC && config.IsOwnVariable(l.Variable):
		return jobs.Invalid("oidc_token_env", fmt.Sprintf("oidc_token_env must not name %s", l.Variable),
			"The configuration of this product, or a library that it uses, reads the variable. It is never sent to a workspace.",
			"Give the token in another variable, such as DATABRICKS_OIDC_TOKEN")
	case !e.options.ForeignDefinitions:
		return nil
	case l.File != "" && (!filepath.IsAbs(l.File) || filepath.Clean(l.File) != l.File):
		// Else a name below an allowed directory could lead out of it.
		return jobs.Invalid(l.Attribute(), fmt.Sprintf("The path %q cannot be used on a runner", l.File),
			"It is relative, or has parts such as \"..\".", "Give the absolute path of the file on the runner's machine")
	case len(l.Command) > 0 && jobs.HasParent(l.Command[0]):
		return jobs.Invalid(l.Attribute(), fmt.Sprintf("The program %q cannot be used on a runner", l.Command[0]),
			"Its path has a part \"..\".", "Give the absolute path of the program on the runner's machine, or its name in PATH")
	case e.options.AllowedLogins.Allow(l):
		return nil
	}
	listed := "The operator of the runner lists none."
	if len(e.options.AllowedLogins) > 0 {
		listed = "The operator of the runner lists: " + strings.Join(e.options.AllowedLogins, ", ") + "."
	}
	return jobs.Invalid(l.Attribute(), fmt.Sprintf("The login %s is not allowed on this runner", e.options.AllowedLogins.Entry(l)),
		"A stored secret and token_env need no entry; every other login acts as the runner's machine. "+listed,
		"Use one of them, or ask the operator to add to the runner's configuration: allowed_logins: "+
			quotedList(append(slices.Clone(e.options.AllowedLogins), e.options.AllowedLogins.Entry(l))))
}

// checkTokenEnv refuses a variable that is not for warehouses. Whoever may write
// definitions would otherwise read the process's keys: a variable is sent as a token.
func (e *Engine) checkTokenEnv(row store.AuthorizationRow) error {
	switch name := row.TokenEnv; {
	case name == "":
		return nil
	case config.IsOwnVariable(name):
		return jobs.Invalid("token_env", fmt.Sprintf("token_env must not name %s", name),
			"The configuration of this product, or a library that it uses, reads the variable. It is never sent to a warehouse.",
			"Give the token in another variable, such as LYTICS_DATABRICKS_TOKEN")
	case e.listsTokenEnv(name) || e.acceptsUnlistedTokenEnv(row):
		return nil
	default:
		return jobs.Invalid("token_env", fmt.Sprintf("token_env must not name %s on this runner", name),
			fmt.Sprintf("The operator of the runner lists the variables that definitions may name: %s.", strings.Join(e.allowedTokenEnv(), ", ")),
			"Name one of them, or ask the operator to add to the runner's configuration: "+e.tokenEnvLine(name))
	}
}

func (e *Engine) allowedTokenEnv() config.Variables {
	if e.options.AllowedTokenEnv == nil {
		return config.DefaultTokenEnv
	}
	return e.options.AllowedTokenEnv
}

func (e *Engine) listsTokenEnv(name string) bool {
	return !e.options.ForeignDefinitions || e.allowedTokenEnv().Contain(name)
}

// acceptsUnlistedTokenEnv reports whether the variable is accepted because the
// authorization is older than the list, and the operator has not given one yet. The
// release after the first one with a list refuses it.
func (e *Engine) acceptsUnlistedTokenEnv(row store.AuthorizationRow) bool {
	return row.PredatesLists && e.options.AllowedTokenEnv == nil
}

// acceptsLoopback reports whether a definition may name this machine by a host with a
// scheme, though the operator does not list it: if the author is the operator, or if
// the authorization is older than the list. The release after the first one with a
// list refuses it.
func (e *Engine) acceptsLoopback(row store.AuthorizationRow) bool {
	return row.PredatesLists || !e.options.ForeignDefinitions
}

// tokenEnvLine is the line of the runner's configuration that allows further variables.
func (e *Engine) tokenEnvLine(names ...string) string {
	all := slices.Concat(e.allowedTokenEnv(), names)
	slices.Sort(all)
	return "allowed_token_env: " + quotedList(slices.Compact(all))
}

func quotedList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = fmt.Sprintf("%q", t)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// warnings say what an authorization uses that a later release refuses, or that this
// one does.
func (e *Engine) warnings(ctx context.Context, db *store.DB, row store.AuthorizationRow) ([]jobs.Failure, error) {
	var out []jobs.Failure
	switch err := e.checkTokenEnv(row); {
	case err != nil:
		out = append(out, jobs.FailureOf(err))
	case row.TokenEnv != "" && !e.listsTokenEnv(row.TokenEnv):
		// One line for all of them: with a list, what it does not have is refused.
		earlier, err := db.AuthorizationsBeforeLists(ctx)
		if err != nil {
			return nil, err
		}
		var names []string
		for _, r := range earlier {
			if r.TokenEnv != "" && !e.listsTokenEnv(r.TokenEnv) && !config.IsOwnVariable(r.TokenEnv) {
				names = append(names, r.TokenEnv)
			}
		}
		out = append(out, jobs.Failure{
			Code: jobs.CodeInvalid, Attribute: "token_env",
			Summary: fmt.Sprintf("Authorization %s reads %s, which the configuration of the runner does not list", row.ID, row.TokenEnv),
			Detail:  "It is accepted because an earlier release made the authorization. The next release refuses it.",
			Next:    "Add to the runner's configuration: " + e.tokenEnvLine(names...),
		})
	}
	for _, err := range []error{e.checkLoginAllowed(row), e.checkCAFile(row)} {
		if err != nil {
			out = append(out, jobs.FailureOf(err))
		}
	}
	if w, ok := e.loopbackWarning(row); ok {
		out = append(out, w)
	}
	return out, nil
}

func (e *Engine) loopbackWarning(row store.AuthorizationRow) (jobs.Failure, bool) {
	c := e.databricksConfig(row)
	accepted := c.ValidateHost() == nil
	c.LoopbackHosts = false
	if !accepted || c.ValidateHost() == nil {
		return jobs.Failure{}, false
	}
	host := row.Destination().Host
	line := fmt.Sprintf("private_hosts = [%q] in the provider block, or LYTICS_PRIVATE_HOSTS=%s", host, host)
	if e.options.ForeignDefinitions {
		line = fmt.Sprintf("private_hosts: [%q] in the runner's configuration", host)
	}
	return jobs.Failure{
		Code: jobs.CodeInvalid, Attribute: "host",
		Summary: fmt.Sprintf("The host of authorization %s names the machine that executes the run, and the operator of that machine "+
			"does not list it",
			row.ID),
		Detail: "A definition opens no host by itself. This one is accepted in this release, and the next release refuses it.",
		Next:   "Set " + line,
	}, true
}

// Warnings returns the warnings of all authorizations of earlier releases.
func (e *Engine) Warnings(ctx context.Context) ([]jobs.Failure, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return nil, err
	}
	rows, err := db.AuthorizationsBeforeLists(ctx)
	if err != nil {
		return nil, err
	}
	var out []jobs.Failure
	for _, r := range rows {
		w, err := e.warnings(ctx, db, r)
		if err != nil {
			return nil, err
		}
		out = append(out, w...)
	}
	return out, nil
}
