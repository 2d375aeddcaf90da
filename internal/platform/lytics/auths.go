package lytics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

const authPath = "/v2/auth"

// databricksAuth is the type of an authorization for Databricks, as paths have it.
const databricksAuth = "databricks-db"

// AccountAuth is an authorization in the Lytics account. Lytics never answers its
// config: host, port, HTTP path and token.
type AccountAuth struct {
	ID          string    `json:"id"`
	Label       string    `json:"label"`
	Description string    `json:"description"`
	Type        string    `json:"type"`
	Status      string    `json:"status"`
	Unhealthy   bool      `json:"unhealthy"`
	Created     time.Time `json:"created"`
}

// Reaches reports whether Lytics has not found the warehouse unreachable.
func (a AccountAuth) Reaches() bool { return !a.Unhealthy && a.Status != "unhealthy" }

// Databricks reports whether it is an authorization for Databricks. The same calls
// also serve API tokens.
func (a AccountAuth) Databricks() bool { return sameType(a.Type, databricksAuth) }

// sameType compares two names of a type. Paths have hyphens, and the examples of
// answers have underscores.
func sameType(a, b string) bool {
	return strings.ReplaceAll(a, "_", "-") == strings.ReplaceAll(b, "_", "-")
}

// check returns an error if the API's answer lacks what every authorization has, or is about
// another one than id, if that is not empty.
func (a AccountAuth) check(id string) error {
	switch {
	case a.ID == "":
		return errors.New("an authorization has no id")
	case a.Type == "":
		return fmt.Errorf("authorization %q has no type", shorten(a.ID))
	case id != "" && a.ID != id:
		return fmt.Errorf("it is about the authorization %q instead of %q", shorten(a.ID), id)
	}
	return nil
}

// AuthDefinition is what an authorization for Databricks is created or replaced
// with. A replacement has to send the token again.
type AuthDefinition struct {
	Label, Description string
	Host               string
	Port               int
	HTTPPath           string
	Token              jobs.Secret
}

func (d AuthDefinition) body() map[string]any {
	return map[string]any{
		"label": d.Label, "description": d.Description,
		"config": map[string]any{"host": d.Host, "port": d.Port, "httppath": d.HTTPPath, "token": d.Token.Reveal()},
	}
}

// AccountAuth reads an authorization of the account.
func (p *Platform) AccountAuth(ctx context.Context, id string) (AccountAuth, error) {
	c := p.get("Cannot read Lytics authorization "+id, authPath+"/"+url.PathEscape(id))
	c.object = [2]string{"Lytics authorization", id}
	var a AccountAuth
	if err := p.checked(ctx, c, &a, func() error { return a.check(id) }); err != nil {
		return AccountAuth{}, err
	}
	if !a.Databricks() {
		return AccountAuth{}, jobs.Invalid("", fmt.Sprintf("Lytics authorization %q is not for Databricks", id),
			"its type is "+a.Type, "Use the id of an authorization of the type Databricks")
	}
	return a, nil
}

// AccountAuths lists the authorizations for Databricks of the account.
func (p *Platform) AccountAuths(ctx context.Context) ([]AccountAuth, error) {
	var all []AccountAuth
	c := p.get("Cannot list the authorizations of the Lytics account", authPath)
	check := func(a AccountAuth) error { return a.check("") }
	if err := p.checked(ctx, c, &all, func() error { return firstError(all, check) }); err != nil {
		return nil, err
	}
	var list []AccountAuth
	for _, a := range all {
		if a.Databricks() {
			list = append(list, a)
		}
	}
	return list, nil
}

// CreateAccountAuth creates an authorization. It is sent once: Unsure and
// Accepted tell whether a call that failed may have created it.
func (p *Platform) CreateAccountAuth(ctx context.Context, d AuthDefinition) (AccountAuth, error) {
	summary := fmt.Sprintf("Cannot create authorization %q in the Lytics account", d.Label)
	return p.writeAuth(ctx, summary, "", authPath+"/"+databricksAuth, d)
}

// ReplaceAccountAuth replaces an authorization whole.
func (p *Platform) ReplaceAccountAuth(ctx context.Context, id string, d AuthDefinition) (AccountAuth, error) {
	summary := fmt.Sprintf("Cannot change authorization %q in the Lytics account", d.Label)
	return p.writeAuth(ctx, summary, id, authPath+"/"+databricksAuth+"/"+url.PathEscape(id), d)
}

// writeAuth creates an authorization, or replaces the one of an id.
func (p *Platform) writeAuth(ctx context.Context, summary, id, path string, d AuthDefinition) (AccountAuth, error) {
	method := http.MethodPut
	if id == "" {
		method = http.MethodPost
	}
	c, err := p.send(summary, method, path, d.body())
	if err != nil {
		return AccountAuth{}, err
	}
	c.repeatable = method == http.MethodPut
	c.attribute, c.conflict = "host", "label"
	if method == http.MethodPost {
		c.patience = creationPatience
	}
	var a AccountAuth
	if err := p.checked(ctx, c, &a, func() error { return a.check(id) }); err != nil {
		return AccountAuth{}, limited(err)
	}
	return a, nil
}

// DeleteAccountAuth deletes an authorization, after a check that it is not an API
// token, which the same call would delete as well.
func (p *Platform) DeleteAccountAuth(ctx context.Context, id string) error {
	if _, err := p.AccountAuth(ctx, id); err != nil {
		return err
	}
	c := p.get("Cannot delete Lytics authorization "+id, authPath+"/"+url.PathEscape(id))
	c.method, c.object, c.conflict = http.MethodDelete, [2]string{"Lytics authorization", id}, "id"
	_, err := p.do(ctx, c)
	return err
}
