package exporter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// told is what the warehouse tells of the target besides its rows.
type told struct {
	id, comment, clustering, columnComment, property, constraint, feed string
	operations                                                         []string
}

func (b *bed) told() told {
	b.t.Helper()
	var out told
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

// decorate gives the target what people give tables.
func (b *bed) decorate() {
	b.sandbox.Exec(b.t,
		"COMMENT ON TABLE "+b.table()+" IS 'for \"finance\"'",
		"ALTER TABLE "+b.table()+" ALTER COLUMN id COMMENT 'the person\\'s id'",
		"ALTER TABLE "+b.table()+" SET TBLPROPERTIES ('team' = 'growth', 'delta.enableChangeDataFeed' = 'true')",
		"ALTER TABLE "+b.table()+" CLUSTER BY (id)")
	if sandboxtest.Spark() {
		b.sandbox.Exec(b.t, "ALTER TABLE "+b.table()+" ADD CONSTRAINT positive CHECK (id > 0)")
	}
}

// DESIGN 6: INSERT OVERWRITE where the columns are the same: the table keeps its
// identity, which grants and readers hang on, and all that people gave it.
// CREATE OR REPLACE where they changed: what can be is said again.
func TestWhatAReplacedTableKeeps(t *testing.T) {
	t.Parallel()
	b := newBed(t, sandboxtest.Shared(t))
	b.run(two)
	b.decorate()
	before := b.told()
	if before.comment == "NULL" || before.columnComment == "" || before.property == "" || !strings.Contains(before.clustering, "id") {
		t.Fatalf("decorated: %+v", before)
	}
	b.run(two)
	after := b.told()
	operations := after.operations
	before.operations, after.operations = nil, nil
	if fmt.Sprintf("%+v", after) != fmt.Sprintf("%+v", before) {
		t.Errorf("the same columns:\n had %+v\n has %+v", before, after)
	}
	if !strings.Contains(strings.Join(operations[:2], ","), "WRITE") {
		t.Errorf("replaced by %v", operations)
	}
	// The change feed and older versions go on over the replacement.
	if got := b.query("SELECT count(*) FROM " + b.table() + " VERSION AS OF 0"); got[0][0] != "2" {
		t.Errorf("version 0 has %v", got)
	}
	b.wantTwo()

	// One more column.
	three := people{fields: fields("id", "int", "name", "string", "age", "int"), rows: [][]jobs.Value{row("1", "one", "10"), row("2", "two", null)}}
	b.run(three)
	after = b.told()
	before.id, after.id, after.operations = "", "", nil
	if fmt.Sprintf("%+v", after) != fmt.Sprintf("%+v", before) {
		t.Errorf("other columns:\n had %+v\n has %+v", before, after)
	}
	b.wantTwo()
	if got := b.types(); got != "id BIGINT, name STRING, age BIGINT" {
		t.Errorf("types %s", got)
	}
	// A column of all that is gone: what hung on it goes with it.
	b.run(people{fields: fields("name", "string"), rows: [][]jobs.Value{row("x")}})
	if now := b.told(); now.comment != before.comment || now.property != before.property || strings.Contains(now.clustering, "id") || now.constraint != "" {
		t.Errorf("without the column: %+v", now)
	}
}

// A row that a CHECK constraint of the table forbids fails the run, whichever
// way the table is replaced, and the old rows stay.
func TestConstraintsHold(t *testing.T) {
	if !sandboxtest.Spark() {
		t.Skip("LEFT OUT: DuckDB's tables have no CHECK constraints; make test-spark runs it")
	}
	t.Parallel()
	b := newBed(t, sandboxtest.Shared(t))
	b.run(two)
	b.decorate()
	for _, bad := range []people{
		{fields: two.fields, rows: [][]jobs.Value{row("-1", "x")}},
		{fields: fields("id", "int", "name", "string", "age", "int"), rows: [][]jobs.Value{row("-1", "x", "1")}},
	} {
		if err := b.export(bad).Run(t.Context()); err == nil || !strings.Contains(strings.ToLower(err.Error()), "check constraint") {
			t.Errorf("got %v", err)
		}
		b.wantTwo()
		b.wantNothingLeft()
	}
}

// checklist 56: a table that is not ours is left alone, and taken over whole
// when that is asked for; a view is never replaced.
func TestATableThatIsNotOurs(t *testing.T) {
	t.Parallel()
	b := newBed(t, sandboxtest.Shared(t))
	overwrite := spec(func(s *jobs.AudienceExport) { s.OverwriteExisting = true })
	b.sandbox.Exec(t, "CREATE TABLE "+b.table()+" (note STRING) COMMENT 'precious'", "INSERT INTO "+b.table()+" VALUES ('precious')")
	err := b.export(two).Run(t.Context())
	if !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), "overwrite_existing") {
		t.Errorf("got %v", err)
	}
	another := func(e *exporter.Export) { e.JobID = "jb_other" }
	if got := b.query("SELECT note FROM " + b.table()); got[0][0] != "precious" {
		t.Errorf("it has %v", got)
	}
	b.run(two, overwrite)
	b.wantTwo()
	if err := b.export(two, another).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "jb_test") {
		t.Errorf("another job: %v", err)
	}
	b.run(two, another, func(e *exporter.Export) { e.Owners = []string{"jb_test"} })
	b.query("DROP TABLE " + b.table())
	b.sandbox.Exec(t, "CREATE VIEW "+b.table()+" AS SELECT 1 AS x")
	if err := b.export(two, overwrite).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "view") {
		t.Errorf("a view: %v", err)
	}
}

// The run's own table may be made in another schema, and is swept there, also
// after the definition names another.
func TestScratchSchema(t *testing.T) {
	t.Parallel()
	b := newBed(t, sandboxtest.Start(t))
	scratch := b.database + "_scratch"
	b.sandbox.Exec(t, "CREATE SCHEMA main."+scratch)
	there := spec(func(s *jobs.AudienceExport) { s.ScratchSchema = "main." + scratch })
	b.run(two, there)
	b.wantTwo()
	var made int
	for _, st := range b.sandbox.Statements(t) {
		if strings.HasPrefix(st.Text, "CREATE TABLE IF NOT EXISTS `main`.`"+scratch+"`.`lytics_load_") {
			made++
		}
	}
	if made != 1 {
		t.Errorf("%d tables were made in the scratch schema", made)
	}
	// A run that is killed leaves its table and files; the next one, with
	// another scratch schema, sweeps both.
	b.abandon(two, there)
	tables := func() string { return fmt.Sprint(b.query("SHOW TABLES IN main." + scratch)) }
	if !strings.Contains(tables(), "lytics_load_") {
		t.Fatal("nothing was left to sweep")
	}
	b.run(two)
	if got := tables(); got != "[]" {
		t.Errorf("left in the scratch schema: %s", got)
	}
}
