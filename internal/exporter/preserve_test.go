package exporter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// tableMetadata is the metadata of a table.
type tableMetadata struct {
	id, comment, clustering, columnComment, property, constraint, feed string
	operations                                                         []string
}

func (b *fixture) metadata() tableMetadata {
	b.t.Helper()
	var out tableMetadata
	d := b.query("DESCRIBE DETAIL " + b.table())[0]
	// format, id, name, description, ..., clusteringColumns
	out.id, out.comment, out.clustering = d[1], d[3], d[8]
	for _, r := range b.query("SHOW TBLPROPERTIES " + b.table()) {
		switch r[0] {
		case "team":
			out.property = r[1]
		case "delta.constraints.positive":
			out.constraint = r[1]
		case "delta.enableChangeDataFeed":
			out.feed = r[1]
		}
	}
	for _, r := range b.query("DESCRIBE TABLE " + b.table()) {
		if r[0] == "id" && out.columnComment == "" {
			out.columnComment = r[2]
		}
	}
	for _, r := range b.query("DESCRIBE HISTORY " + b.table()) {
		out.operations = append(out.operations, r[4])
	}
	return out
}

// addMetadata gives the target a comment, properties, clustering and a constraint.
func (b *fixture) addMetadata() {
	b.sandbox.Exec(b.t,
		"COMMENT ON TABLE "+b.table()+" IS 'for \"finance\"'",
		"ALTER TABLE "+b.table()+" ALTER COLUMN id COMMENT 'the person\\'s id'",
		"ALTER TABLE "+b.table()+" SET TBLPROPERTIES ('team' = 'growth', 'delta.enableChangeDataFeed' = 'true')",
		"ALTER TABLE "+b.table()+" CLUSTER BY (id)")
	if sandboxtest.Spark() {
		b.sandbox.Exec(b.t, "ALTER TABLE "+b.table()+" ADD CONSTRAINT positive CHECK (id > 0)")
	}
}

// With the same columns, INSERT OVERWRITE keeps the table's identity, on which grants
// and readers depend, and its metadata. With other columns, CREATE OR REPLACE drops
// the metadata, and the run sets it again as far as possible.
func TestAReplacedTableKeepsItsMetadata(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t))
	b.run(twoProfiles)
	b.addMetadata()
	before := b.metadata()
	if before.comment == "NULL" || before.columnComment == "" || before.property == "" || !strings.Contains(before.clustering, "id") {
		t.Fatalf("got the metadata %+v, want a comment, a column comment, a property and clustering by id", before)
	}
	b.run(twoProfiles)
	after := b.metadata()
	operations := after.operations
	before.operations, after.operations = nil, nil
	if fmt.Sprintf("%+v", after) != fmt.Sprintf("%+v", before) {
		t.Errorf("with the same columns: got\n%+v, want\n%+v", after, before)
	}
	if !strings.Contains(strings.Join(operations[:2], ","), "WRITE") {
		t.Errorf("got the operations %v, want a WRITE among the last two", operations)
	}
	// Older versions can still be read.
	if got := b.query("SELECT count(*) FROM " + b.table() + " VERSION AS OF 0"); got[0][0] != "2" {
		t.Errorf("got %v rows in version 0, want 2", got)
	}
	b.wantTwoProfiles()

	// One more column.
	three := fakeAudience{fields: fields("id", "int", "name", "string", "age", "int"),
		rows: [][]jobs.Value{row("1", "one", "10"), row("2", "two", null)}}
	b.run(three)
	after = b.metadata()
	before.id, after.id, after.operations = "", "", nil
	if fmt.Sprintf("%+v", after) != fmt.Sprintf("%+v", before) {
		t.Errorf("with another column: got\n%+v, want\n%+v", after, before)
	}
	b.wantTwoProfiles()
	if got := b.columnTypes(); got != "id BIGINT, name STRING, age BIGINT" {
		t.Errorf("got the columns %s, want id, name and age", got)
	}
	// Without the column id, its clustering and constraint are dropped.
	b.run(fakeAudience{fields: fields("name", "string"), rows: [][]jobs.Value{row("x")}})
	now := b.metadata()
	if now.comment != before.comment || now.property != before.property || strings.Contains(now.clustering, "id") || now.constraint != "" {
		t.Errorf("without the column id: got %+v, want the comment and the property, and neither clustering by id nor a constraint", now)
	}
}

// A row that violates a CHECK constraint of the table fails the run, with INSERT
// OVERWRITE and with CREATE OR REPLACE, and the old rows stay.
func TestARowThatViolatesAConstraintFailsTheRun(t *testing.T) {
	if !sandboxtest.Spark() {
		t.Skip("LEFT OUT: DuckDB's tables have no CHECK constraints; make test-spark runs it")
	}
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t))
	b.run(twoProfiles)
	b.addMetadata()
	for _, bad := range []fakeAudience{
		{fields: twoProfiles.fields, rows: [][]jobs.Value{row("-1", "x")}},
		{fields: fields("id", "int", "name", "string", "age", "int"), rows: [][]jobs.Value{row("-1", "x", "1")}},
	} {
		if err := b.export(bad).Run(t.Context()); err == nil || !strings.Contains(strings.ToLower(err.Error()), "check constraint") {
			t.Errorf("got the error %v, want one that names the check constraint", err)
		}
		b.wantTwoProfiles()
		b.wantNoLeftovers()
	}
}

// checklist 56: a table that the export does not own is refused, or replaced if
// overwrite_existing is set. A view is never replaced.
func TestForeignTableIsReplacedOnlyWithOverwriteExisting(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t))
	overwrite := spec(func(s *jobs.AudienceExport) { s.OverwriteExisting = true })
	b.sandbox.Exec(t, "CREATE TABLE "+b.table()+" (note STRING) COMMENT 'precious'", "INSERT INTO "+b.table()+" VALUES ('precious')")
	err := b.export(twoProfiles).Run(t.Context())
	if !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), "overwrite_existing") {
		t.Errorf("got the error %v, want one that names overwrite_existing", err)
	}
	another := func(e *exporter.Export) { e.JobID = "jb_other" }
	if got := b.query("SELECT note FROM " + b.table()); got[0][0] != "precious" {
		t.Errorf("got the rows %v, want the original row", got)
	}
	b.run(twoProfiles, overwrite)
	b.wantTwoProfiles()
	if err := b.export(twoProfiles, another).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "jb_test") {
		t.Errorf("another job: got the error %v, want one that names the owner jb_test", err)
	}
	b.run(twoProfiles, another, func(e *exporter.Export) { e.Owners = []string{"jb_test"} })
	b.query("DROP TABLE " + b.table())
	b.sandbox.Exec(t, "CREATE VIEW "+b.table()+" AS SELECT 1 AS x")
	if err := b.export(twoProfiles, overwrite).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "view") {
		t.Errorf("a view: got the error %v, want one that names the view", err)
	}
}

// The load table is created in the scratch schema. It is removed there even when the
// definition names another schema by now.
func TestTheLoadTableIsInTheScratchSchema(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Start(t))
	scratch := b.database + "_scratch"
	b.sandbox.Exec(t, "CREATE SCHEMA main."+scratch)
	there := spec(func(s *jobs.AudienceExport) { s.ScratchSchema = "main." + scratch })
	b.run(twoProfiles, there)
	b.wantTwoProfiles()
	var made int
	for _, st := range b.sandbox.Statements(t) {
		if strings.HasPrefix(st.Text, "CREATE TABLE IF NOT EXISTS `main`.`"+scratch+"`.`lytics_load_") {
			made++
		}
	}
	if made != 1 {
		t.Errorf("got %d load tables in the scratch schema, want 1", made)
	}
	// A killed run leaves its table and files. The next run, with another scratch
	// schema, removes both.
	b.dieBeforeReplacing(twoProfiles, there)
	tables := func() string { return fmt.Sprint(b.query("SHOW TABLES IN main." + scratch)) }
	if !strings.Contains(tables(), "lytics_load_") {
		t.Fatal("got no load table of the killed run, want one")
	}
	b.run(twoProfiles)
	if got := tables(); got != "[]" {
		t.Errorf("got the tables %s in the scratch schema, want none", got)
	}
}
