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
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest/failingdisk"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
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
	// KillAt is the change of the store's files at which the process kills itself,
	// counted after the store is open; 0 for none.
	KillAt int
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
	if err := flag.Set("rapid.checks", strconv.Itoa(torture.Times(100, 2000, 10_000))); err != nil {
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
	disk, _, err := failingdisk.Open(o.Dir)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Location{Dir: o.Dir}, true)
	if err != nil {
		return err
	}
	p, err := embedded.Open(embedded.Config{DB: db})
	if err != nil {
		return err
	}
	disk.FailAt(o.KillAt, failingdisk.Kill)
	fmt.Println("ready")
	err = (&importer.Import{
		Key: "k", Spec: o.Spec, SliceRows: o.SliceRows, Sink: p, Cursors: db, Progress: &countedProgress{},
		Fence: func(*store.Tx) error { return nil },
		Connect: func(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
			return databricks.Open(ctx, databricks.Config{
				Host: o.Host, Port: o.Port, HTTPPath: o.Path, UserAgent: "lytics+test", LoopbackHosts: true,
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
	if err := db.Close(); err != nil {
		return err
	}
	fmt.Println(disk.Changes())
	return nil
}

// eachSeed runs a test with the seed of LYTICS_TORTURE_SEED, or with the seeds from 1
// on until enough says so. It stops at the first seed that fails.
func eachSeed(t *testing.T, name string, enough func(seeds int) bool, test func(t *testing.T, seed uint64)) {
	t.Helper()
	one, err := strconv.ParseUint(os.Getenv(torture.SeedEnv), 10, 64)
	only := err == nil
	for n := 0; only && n == 0 || !only && !enough(n); n++ {
		seed := uint64(n + 1)
		if only {
			seed = one
		}
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { test(t, seed) })
		if t.Failed() {
			t.Fatalf("repeat it with: %s=%d go test -run %s ./internal/importer", torture.SeedEnv, seed, name)
		}
		if (n+1)%20 == 0 {
			t.Logf("%d seeds", n+1)
		}
	}
}

// checklist 1 2 57: an import is killed again and again, at random moments and at chosen
// changes of the store's files, while rows are added, late ones among them. The stream
// has each row once.
func TestAKilledImportLosesAndDuplicatesNothing(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	k := kills{record: torture.Begin(t, "Import killed", "SIGKILLs")}
	k.measureImport(t, s)
	wanted := torture.Times(6, 100, 1000)
	enough := func(int) bool { return k.record.Tried >= wanted }
	eachSeed(t, "TestAKilledImportLosesAndDuplicatesNothing", enough, func(t *testing.T, seed uint64) {
		t.Helper()
		k.killAndCheck(t, s, seed)
	})
	k.record.Note = fmt.Sprintf("%d before the first row, %d in the middle, %d after the last; %d of them at a chosen change of the store",
		k.before, k.middle, k.after, k.chosen)
	t.Logf("%d killed: %s", k.record.Tried, k.record.Note)
	if n := k.record.Tried; n >= 20 && k.middle < n/2 {
		t.Errorf("got %d kills in the middle of %d, want at least half", k.middle, n)
	}
}

// kills counts the kills by where they hit the import. They follow the speed of the
// machine, so that most hit its middle.
type kills struct {
	record                *torture.Record
	before, middle, after int
	// chosen are the kills at a chosen change of the store's files.
	chosen int
	// reach is the longest time from the start of an import to its kill, and changes
	// the number of changes that an import makes in the store's files.
	reach   time.Duration
	changes int
}

// classify finds in the store where a kill hit the import.
func (k *kills) classify(t *testing.T, dir string) {
	t.Helper()
	k.record.Tried++
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
func (k *kills) measureImport(t *testing.T, s *sandboxtest.Sandbox) {
	t.Helper()
	schema := "killed_never"
	s.Exec(t, "CREATE SCHEMA main."+schema, "CREATE TABLE main."+schema+".t (id BIGINT, name STRING, ts TIMESTAMP)",
		"INSERT INTO main."+schema+".t SELECT id, 'x', timestamp_micros(1700000000000000 + (id DIV 40) * 1000000) FROM range(3000)")
	took, changes, ended := runProcess(t, childImport{Dir: t.TempDir(), Host: s.Host, Path: s.HTTPPath, Token: s.Token, Port: s.Port, SliceRows: 1500,
		Spec: jobs.TableImport{Catalog: "main", Database: schema, Table: "t", TimestampColumn: "ts", Stream: "s", BatchSize: 150}}, 0)
	if !ended {
		t.Fatal("got a failure of an import that was not killed")
	}
	k.reach, k.changes = took, changes
}

// killAndCheck kills the import of one table three times, lets it finish, and checks
// the stream.
func (k *kills) killAndCheck(t *testing.T, s *sandboxtest.Sandbox, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0)) // #nosec G404 -- repeatable on purpose
	schema := fmt.Sprintf("killed_%d", seed)
	feed := ""
	if seed%2 == 0 {
		feed = " TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"
	}
	s.Exec(t, "CREATE SCHEMA main."+schema, "CREATE TABLE main."+schema+".t (id BIGINT, name STRING, ts TIMESTAMP)"+feed)
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
		after := time.Duration((0.1 + 0.9*random.Float64()) * float64(k.reach))
		if o.KillAt = 0; random.IntN(2) == 0 {
			o.KillAt, after = 1+random.IntN(k.changes), 0
		}
		switch _, _, ended := runProcess(t, o, after); {
		case ended && o.KillAt == 0:
			k.reach = k.reach * 3 / 4
		case !ended:
			k.classify(t, o.Dir)
			if o.KillAt > 0 {
				k.chosen++
			}
		}
		if random.IntN(2) == 0 {
			grow(random.IntN(300), random.Int64N(500))
		}
	}
	o.KillAt = 0
	for range 2 { // the first one finishes the snapshot of the run that was killed
		if _, _, ended := runProcess(t, o, 0); !ended {
			t.Fatal("got a failure of an import that was not killed")
		}
	}
	k.checkStream(t, o.Dir, rows)
}

// runProcess runs an import in a child process and kills it a while after it is
// ready; 0 does not kill it. took is the time from ready to the end, changes are those
// of the store's files, and ended reports that the import succeeded.
func runProcess(t *testing.T, o childImport, kill time.Duration) (took time.Duration, changes int, ended bool) {
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
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Error(err)
	}
	ready := time.Now()
	if kill > 0 {
		timer := time.AfterFunc(kill, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
	}
	_, _ = fmt.Fscan(lines, &changes)
	err = cmd.Wait()
	return time.Since(ready), changes, err == nil
}

// checkStream checks that the stream has an event of each row, once.
func (k *kills) checkStream(t *testing.T, dir string, rows int) {
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
	ids, found, events := map[string]bool{}, map[int64]bool{}, 0
	for e, err := range p.Events(t.Context(), "s") {
		if err != nil {
			t.Fatal(err)
		}
		if ids[e.ID] {
			t.Errorf("got the event %s twice", e.ID)
		}
		events++
		ids[e.ID], found[gjson.GetBytes(e.Data, "id").Int()] = true, true
	}
	k.record.Lost += rows - len(found)
	k.record.Doubled += events - len(found)
	if len(ids) != rows || len(found) != rows {
		t.Errorf("got %d events of %d rows, want %d of each", len(ids), len(found), rows)
	}
}
