package importer_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// The tests start their own binary as a child process. With this variable, which
// holds a childImport, it imports until it is done or killed.
const childEnv = "LYTICS_TEST_IMPORT"

// childImport is what a child process imports, and where to.
type childImport struct {
	Dir, Host, Path, Token string
	Port                   int
	Spec                   jobs.TableImport
	SliceRows              int64
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		if err := runChild(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// A flag of the command line takes precedence.
	checks := "100"
	if os.Getenv("LYTICS_TORTURE") != "" {
		checks = "10000"
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func runChild(text string) error {
	var o childImport
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	ctx := context.Background()
	db, err := store.Open(ctx, store.Location{Dir: o.Dir}, true)
	if err != nil {
		return err
	}
	p, err := embedded.Open(embedded.Config{DB: db})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	err = (&importer.Import{
		Key: "k", Spec: o.Spec, SliceRows: o.SliceRows, Sink: p, Cursors: db, Progress: &countedProgress{},
		Fence: func(*store.Tx) error { return nil },
		Connect: func(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
			return databricks.Open(ctx, databricks.Config{
				Host: o.Host, Port: o.Port, HTTPPath: o.Path, UserAgent: "lytics+test",
				QueryTimeout: queryTimeout, StartTimeout: time.Minute, CloudFetch: true,
				Token: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(o.Token), nil },
			})
		},
	}).Run(ctx)
	if err != nil {
		return err
	}
	if err := p.Close(); err != nil {
		return err
	}
	return db.Close()
}

// seeds returns the one of LYTICS_TORTURE_SEED, or the first LYTICS_TORTURE_SEEDS.
func seeds(t *testing.T) []uint64 {
	t.Helper()
	number := func(name string, otherwise uint64) uint64 {
		n, err := strconv.ParseUint(os.Getenv(name), 10, 64)
		if err != nil {
			return otherwise
		}
		return n
	}
	if one := number("LYTICS_TORTURE_SEED", 0); one > 0 {
		return []uint64{one}
	}
	out := []uint64{}
	for n := range number("LYTICS_TORTURE_SEEDS", 2) {
		out = append(out, n+1)
	}
	return out
}

// eachSeed runs a test with each seed and stops at the first that fails.
func eachSeed(t *testing.T, name string, test func(t *testing.T, seed uint64)) {
	t.Helper()
	all := seeds(t)
	for n, seed := range all {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { test(t, seed) })
		if t.Failed() {
			t.Fatalf("repeat it with: LYTICS_TORTURE_SEED=%d go test -run %s ./internal/importer", seed, name)
		}
		if (n+1)%20 == 0 {
			t.Logf("%d of %d seeds", n+1, len(all))
		}
	}
}

// checklist 1 2 57: an import is killed at any moment, again and again, while rows are
// added, late ones among them. The stream has each row once.
func TestAKilledImportLosesAndDuplicatesNothing(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	k := kills{reach: measureImport(t, s)}
	eachSeed(t, "TestAKilledImportLosesAndDuplicatesNothing", func(t *testing.T, seed uint64) {
		t.Helper()
		k.killAndCheck(t, s, seed)
	})
	t.Logf("%d killed: %d before the first row, %d in the middle, %d after the last", k.before+k.middle+k.after, k.before, k.middle, k.after)
	if n := len(seeds(t)); n >= 20 && (k.middle+k.before+k.after < n || k.middle < n/2) {
		t.Errorf("got %d kills in the middle, %d before it and %d after it, want at least %d in the middle and %d in all",
			k.middle, k.before, k.after, n/2, n)
	}
}

// kills counts the kills by where they hit the import. They follow the speed of the
// machine, so that most hit its middle.
type kills struct {
	before, middle, after int
	// reach is the longest time from the start of an import to its kill.
	reach time.Duration
}

// classify finds in the store where a kill hit the import.
func (k *kills) classify(t *testing.T, dir string) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Location{Dir: dir}, true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	switch c, err := importer.ReadCursor(t.Context(), db, "k"); {
	case err != nil:
		t.Fatal(err)
	case c == nil || c.Sent == 0:
		k.before++
		k.reach = k.reach * 3 / 2
	case c.Pinned != nil:
		k.middle++
	default:
		k.after++
		k.reach = k.reach * 3 / 4
	}
}

// measureImport measures an import that is not killed.
func measureImport(t *testing.T, s *sandboxtest.Sandbox) time.Duration {
	t.Helper()
	schema := "killed_never"
	s.Exec(t, "CREATE SCHEMA main."+schema, "CREATE TABLE main."+schema+".t (id BIGINT, name STRING, ts TIMESTAMP)",
		"INSERT INTO main."+schema+".t SELECT id, 'x', timestamp_micros(1700000000000000 + (id DIV 40) * 1000000) FROM range(3000)")
	took, ended := runProcess(t, childImport{Dir: t.TempDir(), Host: s.Host, Path: s.HTTPPath, Token: s.Token, Port: s.Port, SliceRows: 1500,
		Spec: jobs.TableImport{Catalog: "main", Database: schema, Table: "t", TimestampColumn: "ts", Stream: "s", BatchSize: 150}}, 0)
	if !ended {
		t.Fatal("got a failure of an import that was not killed")
	}
	return took
}

// killAndCheck kills the import of one table three times, lets it finish, and checks
// the stream.
func (k *kills) killAndCheck(t *testing.T, s *sandboxtest.Sandbox, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0)) // #nosec G404 -- repeatable on purpose
	schema := fmt.Sprintf("killed_%d", seed)
	s.Exec(t, "CREATE SCHEMA main."+schema, "CREATE TABLE main."+schema+".t (id BIGINT, name STRING, ts TIMESTAMP)")
	rows := 0
	grow := func(n int, late int64) {
		s.Exec(t, fmt.Sprintf("INSERT INTO main.%s.t SELECT %d + id, 'x', "+
			"timestamp_micros(1700000000000000 + ((%d + id - %d) DIV 40) * 1000000) FROM range(%d)", schema, rows, rows, late, n))
		rows += n
	}
	grow(3000, 0)
	o := childImport{Dir: t.TempDir(), Host: s.Host, Path: s.HTTPPath, Token: s.Token, Port: s.Port, SliceRows: 700 + random.Int64N(1500),
		Spec: jobs.TableImport{Catalog: "main", Database: schema, Table: "t", TimestampColumn: "ts", Stream: "s",
			BatchSize: 20 + random.Int64N(300)}}
	if random.IntN(3) == 0 {
		o.Spec.KeyColumns = []string{"id"}
	}
	for range 3 {
		if _, ended := runProcess(t, o, time.Duration((0.1+0.9*random.Float64())*float64(k.reach))); ended {
			k.reach = k.reach * 3 / 4
		} else {
			k.classify(t, o.Dir)
		}
		if random.IntN(2) == 0 {
			grow(random.IntN(300), random.Int64N(500))
		}
	}
	for range 2 { // the first one finishes the snapshot of the run that was killed
		if _, ended := runProcess(t, o, 0); !ended {
			t.Fatal("got a failure of an import that was not killed")
		}
	}
	checkStream(t, o.Dir, rows)
}

// runProcess runs an import in a child process and kills it a while after it is
// ready; 0 does not kill it. took is the time from ready to the end, and ended
// reports that the import succeeded.
func runProcess(t *testing.T, o childImport, kill time.Duration) (took time.Duration, ended bool) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Error(err)
	}
	ready := time.Now()
	if kill > 0 {
		timer := time.AfterFunc(kill, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
	}
	err = cmd.Wait()
	return time.Since(ready), err == nil
}

// checkStream checks that the stream has an event of each row, once.
func checkStream(t *testing.T, dir string, rows int) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Location{Dir: dir}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	p, err := embedded.Open(embedded.Config{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	ids, found := map[string]bool{}, map[int64]bool{}
	for e, err := range p.Events(t.Context(), "s") {
		if err != nil {
			t.Fatal(err)
		}
		if ids[e.ID] {
			t.Errorf("got the event %s twice", e.ID)
		}
		ids[e.ID], found[gjson.GetBytes(e.Data, "id").Int()] = true, true
	}
	if len(ids) != rows || len(found) != rows {
		t.Errorf("got %d events of %d rows, want %d of each", len(ids), len(found), rows)
	}
}
