package databricks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/databricks/databricks-sdk-go/apierr"
	"github.com/databricks/databricks-sdk-go/service/catalog"
	"github.com/google/uuid"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// privilegesTimeout bounds what is asked about privileges. Without an answer nothing is said
// of them: the statements themselves fail without a privilege.
const privilegesTimeout = 2 * time.Minute

// securable is an object that privileges are granted on: a catalog, a schema if Database is
// set, or a table if Table is set too.
type securable jobs.TableName

// kind is the type of the object in the API.
func (s securable) kind() string {
	switch {
	case s.Table != "":
		return "table"
	case s.Database != "":
		return "schema"
	}
	return "catalog"
}

func (s securable) parts() []string {
	return slices.DeleteFunc([]string{s.Catalog, s.Database, s.Table}, func(part string) bool { return part == "" })
}

func (s securable) name() string { return strings.Join(s.parts(), ".") }

// parents are the objects that it is in.
func (s securable) parents() (all []securable) {
	if s.Table != "" {
		all = append(all, securable{Catalog: s.Catalog, Database: s.Database})
	}
	if s.Database != "" {
		all = append(all, securable{Catalog: s.Catalog})
	}
	return all
}

// described is what the API says of an object.
type described struct {
	Owner      string            `json:"owner"`
	Properties map[string]string `json:"properties"`
}

// TableProperties returns the properties of a table, and whether the table exists. The API
// tells; an error means that it does not.
func (u *UnityCatalog) TableProperties(ctx context.Context, table jobs.TableName) (properties map[string]string, exists bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, privilegesTimeout)
	defer cancel()
	d, err := u.describe(ctx, securable(table))
	if e, ok := errors.AsType[*apierr.APIError](err); ok && e.StatusCode == http.StatusNotFound {
		return nil, false, nil
	}
	return d.Properties, err == nil, err
}

// CheckPrivileges fails with CodeForbidden if Unity Catalog shows that the login lacks one of
// the privileges on a catalog, a schema or a table: on is its name, with empty parts behind
// it. Privileges are spelt as in the API, such as USE_CATALOG. It returns nil if the login
// has them, and also where Unity Catalog does not tell: whoever neither owns nor manages an
// object sees only a part of its grants.
func (u *UnityCatalog) CheckPrivileges(ctx context.Context, on jobs.TableName, privileges ...string) error {
	ctx, cancel := context.WithTimeout(ctx, privilegesTimeout)
	defer cancel()
	s := securable(on)
	d, err := u.describe(ctx, s)
	if err != nil {
		return refusal(err)
	}
	me, told := u.principals(ctx)
	if !told || me.has(d.Owner) {
		return nil
	}
	held, ofOtherGroups, told := u.held(ctx, s, me)
	if !told || len(held) == 0 || held["ALL_PRIVILEGES"] {
		// A login that is shown no grant at all was able to read the object: it has some.
		return nil
	}
	// SCIM does not list each group of a login, such as those of the system. A privilege of a
	// group that it does not list counts as held: the statement itself will tell.
	missing := slices.DeleteFunc(slices.Clone(privileges), func(p string) bool {
		return held[p] || ofOtherGroups[p] || ofOtherGroups["ALL_PRIVILEGES"]
	})
	if len(missing) == 0 {
		return nil
	}
	for _, parent := range s.parents() { // their owner may have rights that are not granted
		if d, err := u.describe(ctx, parent); err == nil && me.has(d.Owner) {
			return nil
		}
	}
	return &jobs.Error{
		Code:    jobs.CodeForbidden,
		Summary: fmt.Sprintf("%s has no %s on %s %s", me.name, inSQL(missing, " and no "), s.kind(), s.name()),
		Detail:  fmt.Sprintf("By Unity Catalog, it and its groups have there: %s.", inSQL(slices.Sorted(maps.Keys(held)), ", ")),
		Next:    grantStatement(missing, s, me.name),
	}
}

// refusal is the error of an object that the API refuses to show for a privilege that it
// names. Other errors are none of privileges: nil.
func refusal(err error) error {
	e, ok := errors.AsType[*apierr.APIError](err)
	if !ok || e.StatusCode != http.StatusForbidden {
		return nil
	}
	detail := sanitize(e.Message)
	if denied.FindStringSubmatch(detail) == nil {
		return nil
	}
	return &jobs.Error{
		Code: jobs.CodeForbidden, Summary: "A permission is missing in Databricks", Detail: detail, Next: grantFor(detail), Err: err,
	}
}

// grantStatement is the statement that grants privileges on an object.
func grantStatement(privileges []string, on securable, to string) string {
	names := append(on.parts(), to)
	for i, name := range names {
		quoted, err := Quote(name)
		if err != nil {
			return "Grant " + inSQL(privileges, " and ") + " to the user or service principal of the authorization"
		}
		names[i] = quoted
	}
	return fmt.Sprintf("Have the owner of it run: GRANT %s ON %s %s TO %s;", inSQL(privileges, ", "), strings.ToUpper(on.kind()),
		strings.Join(names[:len(names)-1], "."), names[len(names)-1])
}

// inSQL writes privileges as SQL does.
func inSQL(privileges []string, separator string) string {
	return strings.ReplaceAll(strings.Join(privileges, separator), "_", " ")
}

// describe reads an object.
func (u *UnityCatalog) describe(ctx context.Context, s securable) (d described, err error) {
	// The SDK adds the name to the path without escaping it.
	path := "/api/2.1/unity-catalog/" + s.kind() + "s/" + url.PathEscape(s.name())
	err = u.get(ctx, path, nil, &d)
	return d, err
}

func (u *UnityCatalog) get(ctx context.Context, path string, request, reply any) error {
	return u.client.Do(ctx, http.MethodGet, path, map[string]string{"Accept": "application/json"}, nil, request, reply)
}

// principals are the names under which privileges reach a login.
type principals struct {
	// name is its own: an address, or the application id of a service principal.
	name string
	all  map[string]bool
}

func (p principals) has(name string) bool { return p.all[strings.ToLower(name)] }

// everybody is the group of all users and service principals.
const everybody = "account users"

// principals asks the workspace who the login is, and which groups it is in. told is false if
// the workspace does not tell.
func (u *UnityCatalog) principals(ctx context.Context) (_ principals, told bool) {
	var reply struct {
		UserName string `json:"userName"`
		Groups   []struct {
			Display string `json:"display"`
		} `json:"groups"`
	}
	if err := u.get(ctx, "/api/2.0/preview/scim/v2/Me", nil, &reply); err != nil || reply.UserName == "" {
		return principals{}, false
	}
	p := principals{name: reply.UserName, all: map[string]bool{everybody: true, strings.ToLower(reply.UserName): true}}
	for _, g := range reply.Groups {
		p.all[strings.ToLower(g.Display)] = g.Display != ""
	}
	return p, true
}

// held are the privileges of the principals on an object, and those of groups that are not
// among them, inherited ones included. told is false if the API does not tell.
func (u *UnityCatalog) held(ctx context.Context, s securable, me principals) (held, ofOtherGroups map[string]bool, told bool) {
	path := "/api/2.1/unity-catalog/effective-permissions/" + s.kind() + "/" + url.PathEscape(s.name())
	bounds := pages()
	held, ofOtherGroups = map[string]bool{}, map[string]bool{}
	for page := ""; ; {
		var reply struct {
			Assignments []struct {
				Principal  string `json:"principal"`
				Privileges []struct {
					Privilege string `json:"privilege"`
				} `json:"privileges"`
			} `json:"privilege_assignments"`
			Next string `json:"next_page_token"`
		}
		err := u.get(ctx, path, catalog.GetEffectiveRequest{PageToken: page, ForceSendFields: []string{"MaxResults"}}, &reply)
		if err != nil {
			return nil, nil, false
		}
		for _, a := range reply.Assignments {
			out := held
			switch {
			case me.has(a.Principal):
			case isGroup(a.Principal):
				out = ofOtherGroups
			default:
				continue
			}
			for _, p := range a.Privileges {
				out[strings.ReplaceAll(strings.ToUpper(p.Privilege), " ", "_")] = true
			}
		}
		if err := bounds.Next(reply.Next, len(reply.Assignments), 0); err != nil {
			return nil, nil, false
		}
		if page = reply.Next; page == "" {
			return held, ofOtherGroups, true
		}
	}
}

// isGroup reports whether a principal is a group: users are addresses, and service
// principals are application ids.
func isGroup(principal string) bool {
	return !strings.Contains(principal, "@") && uuid.Validate(principal) != nil
}
