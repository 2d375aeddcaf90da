//go:build unix

package spark_test

import (
	osexec "os/exec"
	"strings"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark"
)

// The engine has its own server, which the test kills. Tables survive, sessions do
// not.
func TestNextSessionRestartsAKilledSpark(t *testing.T) {
	installed(t)
	b := &fixture{t: t, objects: objects{}}
	dir := t.TempDir()
	engine, err := spark.Open(t.Context(), spark.Options{Home: sparkHome(), DataDir: dir, Objects: b.objects})
	if err != nil {
		t.Fatal(err)
	}
	b.serve(engine)
	conn := b.connect()
	exec(t, conn, "CREATE TABLE main.default.kept AS SELECT 1 AS a", "CREATE TEMPORARY VIEW v AS SELECT 1 AS a")
	ended := engine.Ended()
	// pgrep finds the only Java process whose command line names the test's directory.
	out, err := osexec.CommandContext(t.Context(), "pgrep", "-f", "java .*"+dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := osexec.CommandContext(t.Context(), "kill", append([]string{"-9"}, strings.Fields(string(out))...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	<-ended
	wantError(t, conn, "SELECT * FROM v", "Invalid SessionHandle")
	// A start of Spark beside other work takes longer than the driver's five attempts.
	again := b.connect(dbsql.WithRetries(10_000, time.Second, 5*time.Second))
	want(t, again, "SELECT a FROM main.default.kept", "1")
	wantError(t, again, "SELECT * FROM v", "[TABLE_OR_VIEW_NOT_FOUND]")
}
