package engine_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// grants is an answer of Unity Catalog about who has which privileges.
func grants(of map[string][]string) any {
	var all []any
	for principal, privileges := range of {
		var list []any
		for _, p := range privileges {
			list = append(list, map[string]any{"privilege": p, "inherited_from_type": "CATALOG", "inherited_from_name": "main"})
		}
		all = append(all, map[string]any{"principal": principal, "privileges": list})
	}
	return map[string]any{"privilege_assignments": all}
}

// A dry run of an export finds a privilege that is missing to write, with the attribute and
// the GRANT, by Unity Catalog's REST API: no warehouse answers here. Where Unity Catalog
// does not tell, nothing is found.
func TestDryRunFindsAMissingPrivilegeToWrite(t *testing.T) {
	t.Parallel()
	const (
		unity     = "/api/2.1/unity-catalog/"
		me        = "/api/2.0/preview/scim/v2/Me"
		ofCatalog = unity + "effective-permissions/catalog/main"
		ofSchema  = unity + "effective-permissions/schema/main.crm"
		ofTable   = unity + "effective-permissions/table/main.crm.vip"
		ofScratch = unity + "effective-permissions/schema/main.scratch"
		table     = unity + "tables/main.crm.vip"
	)
	etl := func(privileges ...string) any { return grants(map[string][]string{"etl@example.com": privileges}) }
	granted := map[string]any{
		me:                             map[string]any{"userName": "etl@example.com", "groups": []any{map[string]any{"display": "Writers"}}},
		unity + "catalogs/main":        map[string]any{"name": "main", "owner": "admins"},
		unity + "schemas/main.crm":     map[string]any{"name": "crm", "owner": "admins"},
		unity + "schemas/main.scratch": map[string]any{"name": "scratch", "owner": "admins"},
		table:                          map[string]any{"name": "vip", "owner": "admins", "properties": map[string]any{"lytics.job_id": "job_1"}},
		unity + "tables":               map[string]any{"tables": []any{}},
		ofCatalog:                      grants(map[string][]string{"writers": {"USE_CATALOG"}, "others": {"ALL_PRIVILEGES"}}),
		ofSchema:                       grants(map[string][]string{"writers": {"USE_SCHEMA"}, "account users": {"CREATE_TABLE"}}),
		ofTable:                        etl("SELECT", "MODIFY"),
		ofScratch:                      etl("ALL_PRIVILEGES"),
	}
	for name, c := range map[string]struct {
		change   map[string]any
		scratch  string
		at, next string
	}{
		"none": {},
		"USE CATALOG": {map[string]any{ofCatalog: etl("BROWSE")}, "", "catalog",
			"GRANT USE CATALOG ON CATALOG `main` TO `etl@example.com`;"},
		"USE SCHEMA": {map[string]any{ofSchema: etl("BROWSE", "CREATE_TABLE")}, "", "database",
			"GRANT USE SCHEMA ON SCHEMA `main`.`crm` TO `etl@example.com`;"},
		"CREATE TABLE": {map[string]any{ofSchema: etl("USE_SCHEMA")}, "", "database",
			"GRANT CREATE TABLE ON SCHEMA `main`.`crm` TO `etl@example.com`;"},
		"both": {map[string]any{ofSchema: etl("BROWSE")}, "", "database",
			"GRANT USE SCHEMA, CREATE TABLE ON SCHEMA `main`.`crm` TO `etl@example.com`;"},
		"MODIFY": {map[string]any{ofTable: etl("SELECT")}, "", "table_name",
			"GRANT MODIFY ON TABLE `main`.`crm`.`vip` TO `etl@example.com`;"},
		"one of another user": {map[string]any{ofTable: grants(map[string][]string{
			"etl@example.com": {"SELECT"}, "ann@example.com": {"MODIFY"}, "6c1f1a0e-7c0a-4b0e-9f3e-0a1b2c3d4e5f": {"ALL_PRIVILEGES"},
		})}, "", "table_name", "GRANT MODIFY ON TABLE `main`.`crm`.`vip` TO `etl@example.com`;"},
		"in the scratch schema": {map[string]any{ofScratch: etl("USE_SCHEMA")}, "main.scratch", "scratch_schema",
			"GRANT CREATE TABLE ON SCHEMA `main`.`scratch` TO `etl@example.com`;"},
		"CREATE TABLE, which a scratch schema makes needless": {map[string]any{ofSchema: etl("USE_SCHEMA")}, "main.scratch", "", ""},
		"those of an owner": {map[string]any{
			ofSchema: etl("USE_SCHEMA"), unity + "schemas/main.crm": map[string]any{"owner": "writers"}}, "", "", ""},
		"those of a parent's owner": {map[string]any{
			ofSchema: etl("USE_SCHEMA"), unity + "catalogs/main": map[string]any{"owner": "etl@example.com"}}, "", "", ""},
		"what a group has that SCIM does not list": {map[string]any{ofTable: grants(map[string][]string{
			"etl@example.com": {"SELECT"}, "_workspace_users_main": {"MODIFY"},
		})}, "", "", ""},
		"what is not shown":   {map[string]any{ofSchema: grants(nil)}, "", "", ""},
		"who is not told":     {map[string]any{me: nil, ofSchema: etl("USE_SCHEMA")}, "", "", ""},
		"grants not answered": {map[string]any{ofSchema: nil}, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := maps.Clone(granted)
			for path, answer := range c.change {
				if answers[path] = answer; answer == nil {
					delete(answers, path)
				}
			}
			e := process(t, t.TempDir(), succeed, func(o *engine.Options) {
				o.Staging = &staging.S3Config{
					Bucket: "staging", Region: "eu-central-1", Endpoint: emptyBucket(t), UsePathStyle: true,
					AccessKeyID: "a", SecretAccessKey: jobs.NewSecret("b"),
				}
			})
			a := authorizeAt(t, e, workspace(t, answers))
			_, err := e.DryRunOf(t.Context(), jobs.DryRunRequest{Definition: jobs.JobSpec{
				Label: "vip", AuthorizationID: a.ID,
				Export: &jobs.AudienceExport{Catalog: "main", Database: "crm", TableName: "vip", ScratchSchema: c.scratch},
			}})
			if c.at == "" {
				if err != nil {
					t.Errorf("got %v, want nothing missing", err)
				}
				return
			}
			if f := jobs.FailureOf(orNone(err)); f.Code != jobs.CodeForbidden || f.Attribute != c.at || !strings.Contains(f.Next, c.next) {
				t.Errorf("got %+v, want the attribute %s and %q", f, c.at, c.next)
			}
		})
	}
}
