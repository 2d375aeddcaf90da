package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// principalHCL declares the authorization w with a service principal.
var principalHCL = strings.Replace(authorizationHCL, "token_wo         = var.token\n  token_wo_version = 1",
	"client_id                = var.client_id\n  client_secret_wo         = var.client_secret\n  client_secret_wo_version = 1", 1) + `
variable "client_id" { type = string }
variable "client_secret" {
  type      = string
  ephemeral = true
  sensitive = true
}
`

const listingHCL = `
data "lytics_databricks_catalogs" "all" {
  authorization_id = lytics_databricks_authorization.w.id
}
data "lytics_databricks_databases" "all" {
  authorization_id = lytics_databricks_authorization.w.id
  catalog          = "main"
}
data "lytics_databricks_tables" "all" {
  authorization_id = lytics_databricks_authorization.w.id
  catalog          = "main"
  database         = %q
}
data "lytics_databricks_columns" "all" {
  authorization_id = lytics_databricks_authorization.w.id
  catalog          = "main"
  database         = %q
  table            = "people"
}
output "listed" {
  value = jsonencode({
    databases = [for d in data.lytics_databricks_databases.all.databases : d.name if d.name == %q]
    tables    = [for t in data.lytics_databricks_tables.all.tables : t.name]
    columns   = [for c in data.lytics_databricks_columns.all.columns : "${c.position} ${c.name} ${lower(c.type)}"]
  })
}
`

// manyObjects is the number of objects in the tests of cost. It is smaller on
// Spark, which is slow and which none of them uses.
func manyObjects() int {
	if sandboxtest.Spark() {
		return 2
	}
	return 100
}

// checklist 61: a hundred data sources start no warehouse, because they read
// Unity Catalog's API. Read by SQL, they have the same result.
func TestDataSourcesStartNoWarehouse(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 1)
	for i := range 30 { // more than one page of the API
		s.Exec(t, fmt.Sprintf("CREATE TABLE main.%s.t%02d (a INT)", db, i))
	}
	authorization := strings.Replace(authorizationHCL, "  token_wo ", "  check_connection = false\n  token_wo ", 1)
	hcl := providerHCL + authorization + fmt.Sprintf(listingHCL, db, db, db)
	w := newWorkspace(t, s, hcl+fmt.Sprintf(`
data "lytics_databricks_columns" "many" {
  count            = %d
  authorization_id = lytics_databricks_authorization.w.id
  catalog          = "main"
  database         = %q
  table            = "people"
}
`, manyObjects(), db))
	s.ForgetStatements(t)
	rest := w.apply()
	w.wantNoChanges()
	w.apply("-refresh-only")
	if sent := s.Statements(t); len(sent) > 0 {
		t.Fatalf("the data sources sent %d statements, the first one is %q", len(sent), sent[0].Text)
	}
	if sessions := s.Sessions(t); len(sessions) > 0 {
		t.Errorf("%d sessions are open", len(sessions))
	}
	byREST := w.output("listed")
	if !strings.Contains(byREST, "t29") || !strings.Contains(byREST, `"1 id`) {
		t.Fatalf("listed %s\n%s", byREST, rest)
	}

	w.file("main.tf", strings.Replace(hcl, "check_connection = false", "check_connection = false\n  catalog_api = \"sql\"", 1))
	w.apply()
	if len(s.Statements(t)) == 0 {
		t.Error("catalog_api = \"sql\" sent no statement to the warehouse")
	}
	if bySQL := w.output("listed"); bySQL != byREST {
		t.Errorf("in SQL:\n%s\nby the API:\n%s", bySQL, byREST)
	}
}

// An error names the missing object and the existing ones, with both catalog
// APIs. Only the warehouse has hive_metastore.
func TestMistakesInDataSourcesAreNamed(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 1)
	for name, c := range map[string]struct {
		from, to string
		want     []string
	}{
		"catalog":  {`catalog          = "main"`, `catalog          = "mian"`, []string{`catalog "mian"`, `"main"`}},
		"database": {fmt.Sprintf("database         = %q\n}", db), fmt.Sprintf("database         = %q\n}", db+"x"), []string{db + "x", db}},
		"table":    {`"people"`, `"poeple"`, []string{`table "poeple"`, `"people"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t, s, providerHCL+authorizationHCL+strings.ReplaceAll(fmt.Sprintf(listingHCL, db, db, db), c.from, c.to))
			text, code := w.tryApply()
			if code != 1 {
				t.Fatalf("apply gave %d:\n%s", code, text)
			}
			wantError(t, text, c.want...)
		})
	}
}

// checklist 25: when the access token expires during a run, a new one is
// requested, and no row is lost or duplicated.
func TestExpiredAccessTokenIsRenewedDuringARun(t *testing.T) {
	t.Parallel()
	const rows = 60_000
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, rows)
	w := newWorkspace(t, s, providerHCL+principalHCL+importHCL(db, "people", "")+fmt.Sprintf(listingHCL, db, db, db))
	w.env["TF_VAR_client_id"], w.env["TF_VAR_client_secret"] = s.ClientID, s.ClientSecret
	s.SetFault(t, secondPageHeld)
	expired, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(expired)
		if !w.waitForCommit(ended) {
			t.Error("the run ended before it committed events")
			return
		}
		s.ExpireTokens(t)
		s.ClearFaults(t)
	}()
	text, code := w.tryApply()
	close(ended)
	<-expired
	if code != 0 {
		t.Fatalf("terraform apply failed:\n%s", text)
	}
	wantEach(t, w.events("s"), rows)
	w.wantNoChanges()
	w.wantSecretNowhere(s.ClientSecret)

	w.env["TF_VAR_client_secret"] = "dose-wrong"
	w.file("main.tf", strings.Replace(providerHCL+principalHCL, "client_secret_wo_version = 1", "client_secret_wo_version = 2", 1))
	text, code = w.tryApply()
	if code != 1 {
		t.Fatalf("a wrong secret gave %d:\n%s", code, text)
	}
	wantError(t, text, "client_secret_wo", "refused the OAuth secret")
}

// Every statement of a run has the job and the run as query tags, and the run
// has the ids of its statements in the query history.
func TestStatementsOfARunAreInTheQueryHistory(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 10)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", ""))
	w.apply()
	runs := w.runs()
	if len(runs) != 1 {
		t.Fatalf("%d runs", len(runs))
	}
	run := runs[0]
	var tagged []string
	for _, sent := range s.Statements(t) {
		if strings.Contains(sent.Tags, "lytics_run:"+run.ID) && strings.Contains(sent.Tags, "lytics_job:"+run.JobID) {
			tagged = append(tagged, sent.ID)
		}
	}
	slices.Sort(tagged)
	recorded := slices.Sorted(slices.Values(run.Statements))
	if len(tagged) < 3 || !slices.Equal(recorded, tagged) {
		t.Errorf("the run recorded %q, the history has %q", recorded, tagged)
	}
}

// The error of a missing permission has the GRANT statement that adds it. With plan_check
// it is one of the plan, at the attribute.
func TestMissingPermissionNamesItsGrant(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 10)
	s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "VERSION AS OF", Times: -1, SQLState: "42501",
		Message: "[INSUFFICIENT_PERMISSIONS] Insufficient privileges: User does not have SELECT on table 'main." + db + ".people'. SQLSTATE: 42501"})
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", ""))
	text, code := w.tryApply()
	if code != 1 {
		t.Fatalf("apply gave %d:\n%s", code, text)
	}
	grant := "GRANT SELECT ON TABLE `main`.`" + db + "`.`people` TO"
	wantError(t, text, "A permission is missing", grant)

	checked := newWorkspace(t, s, "provider \"lytics\" {\n  plan_check = true\n}\n"+authorizationHCL+importHCL(db, "people", ""))
	if text, code = checked.plan(); code != 1 {
		t.Fatalf("the plan gave %d:\n%s", code, text)
	}
	wantError(t, text, "A permission is missing", grant, `table = "people"`)
}

// The permissions guide documents every kind of statement that an import, an
// export and the data sources send.
func TestPermissionsGuideHasEveryStatement(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join("..", "..", "templates", "guides", "permissions.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 10)
	s.Exec(t, "CREATE VIEW main."+db+".seen AS SELECT * FROM main."+db+".people")
	authorization := strings.Replace(authorizationHCL, "  token_wo ", "  catalog_api = \"sql\"\n  token_wo ", 1)
	table := strings.NewReplacer(`"i"`, `"t"`, `"s"`, `"t"`).Replace(importHCL(db, "people", ""))
	w := newWorkspace(t, s, providerHCL+authorization+importHCL(db, "seen", "")+table+fmt.Sprintf(listingHCL, db, db, db)+
		fieldsHCL(map[string][2]string{"id": {"string", "email"}})+exportHCL(db, "all", "*", ""))
	s.ForgetStatements(t)
	w.apply()
	seen := map[string]bool{}
	for _, sent := range s.Statements(t) {
		if sent.Operation == "EXECUTE_STATEMENT" {
			seen[verb(sent.Text)] = true
		}
	}
	for _, want := range []string{"COPY INTO", "DESCRIBE HISTORY", "SELECT"} {
		if !seen[want] {
			t.Errorf("no %s was sent: got %v", want, seen)
		}
	}
	for v := range seen {
		if !strings.Contains(string(guide), "`"+v) {
			t.Errorf("the guide does not say what %s needs", v)
		}
	}
}

// verb returns the keywords at the beginning of a statement.
func verb(statement string) string {
	var words []string
	for _, word := range strings.Fields(statement) {
		if word != strings.ToUpper(word) || strings.ContainsAny(word, "`(*") || word == "IF" || word == "IN" || word == "AS" {
			break
		}
		if word == "SELECT" && len(words) > 0 { // the query of DESCRIBE QUERY
			break
		}
		if words = append(words, word); word == "SELECT" {
			break
		}
	}
	return strings.Join(words, " ")
}
