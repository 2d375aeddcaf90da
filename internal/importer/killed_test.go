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

// The test binary is its own victim: with this variable, which holds an order,
// it imports until it is done or killed.
const victimEnv = "LYTICS_TEST_IMPORT"

// order is what a victim imports, and where to.
type order struct {
	Dir, Host, Path, Token string
	Port                   int
	Spec                   jobs.TableImport
	SliceRows              int64
}

func TestMain(m *testing.M) {
	if text := os.Getenv(victimEnv); text != "" {
		if err := victim(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// Unless the command line says otherwise.
	checks := "500"
	if os.Getenv("LYTICS_TORTURE") != "" {
		checks = "10000"
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func victim(text string) error {
	var o order
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
		Key: "k", Spec: o.Spec, SliceRows: o.SliceRows, Sink: p, Cursors: db, Progress: &told{}, Fence: func(*store.Tx) error { return nil },
		Connect: func(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
			return databricks.Open(ctx, databricks.Config{
				Host: o.Host, Port: o.Port, HTTPPath: o.Path, UserAgent: "lytics+test", QueryTimeout: queryTimeout, StartTimeout: time.Minute, CloudFetch: true,
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

// seeds are those to run: LYTICS_TORTURE_SEED alone, or so many.
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

// eachSeed runs a test of each seed, one after the other: which of them failed
// first is what counts.
func eachSeed(t *testing.T, name string, test func(t *testing.T, seed uint64)) {
	t.Helper()
	all := seeds(t)
	for n, seed := range all {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { test(t, seed) })
		if t.Failed() {
			t.Fatalf("again: LYTICS_TORTURE_SEED=%d go test -run %s ./internal/importer", seed, name)
		}
		if (n+1)%20 == 0 {
			t.Logf("%d of %d seeds", n+1, len(all))
		}
	}
}

// checklist 1 2 57: an import is killed at any moment, again and again, while
// rows are added, late ones too. The stream has each row once.
func TestAKilledImportLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	k := kills{reach: whole(t, s)}
	eachSeed(t, "TestAKilledImportLosesAndDoublesNothing", func(t *testing.T, seed uint64) {
		t.Helper()
		k.torture(t, s, seed)
	})
	t.Logf("%d killed: %d before the first row, %d in the middle, %d after the last", k.before+k.middle+k.after, k.before, k.middle, k.after)
	if n := len(seeds(t)); n >= 20 && (k.middle+k.before+k.after < n || k.middle < n/2) {
		t.Error("the kills missed the import")
	}
}

// kills counts those that were in time, by where they fell.
// They follow the speed of the machine, so that most fall in the middle.
type kills struct {
	before, middle, after int
	reach                 time.Duration
}

// fell looks at the store that a kill left.
func (k *kills) fell(t *testing.T, dir string) {
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

// whole measures an import that nobody kills.
func whole(t *testing.T, s *sandboxtest.Sandbox) time.Duration {
	t.Helper()
	schema := "killed_never"
	s.Exec(t, "CREATE SCHEMA main."+schema, "CREATE TABLE main."+schema+".t (id BIGINT, name STRING, ts TIMESTAMP)",
		"INSERT INTO main."+schema+".t SELECT id, 'x', timestamp_micros(1700000000000000 + (id DIV 40) * 1000000) FROM range(3000)")
	took, ended := run(t, order{Dir: t.TempDir(), Host: s.Host, Path: s.HTTPPath, Token: s.Token, Port: s.Port, SliceRows: 1500,
		Spec: jobs.TableImport{Catalog: "main", Database: schema, Table: "t", TimestampColumn: "ts", Stream: "s", BatchSize: 150}}, 0)
	if !ended {
		t.Fatal("it was not killed, and failed")
	}
	return took
}

func (k *kills) torture(t *testing.T, s *sandboxtest.Sandbox, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0)) // #nosec G404 -- repeatable on purpose
	schema := fmt.Sprintf("killed_%d", seed)
	s.Exec(t, "CREATE SCHEMA main."+schema, "CREATE TABLE main."+schema+".t (id BIGINT, name STRING, ts TIMESTAMP)")
	rows := 0
	grow := func(n int, late int64) {
		s.Exec(t, fmt.Sprintf("INSERT INTO main.%s.t SELECT %d + id, 'x', timestamp_micros(1700000000000000 + ((%d + id - %d) DIV 40) * 1000000) FROM range(%d)", schema, rows, rows, late, n))
		rows += n
	}
	grow(3000, 0)
	o := order{Dir: t.TempDir(), Host: s.Host, Path: s.HTTPPath, Token: s.Token, Port: s.Port, SliceRows: 700 + random.Int64N(1500),
		Spec: jobs.TableImport{Catalog: "main", Database: schema, Table: "t", TimestampColumn: "ts", Stream: "s", BatchSize: 20 + random.Int64N(300)}}
	if random.IntN(3) == 0 {
		o.Spec.KeyColumns = []string{"id"}
	}
	for range 3 {
		if _, ended := run(t, o, time.Duration((0.1+0.9*random.Float64())*float64(k.reach))); ended {
			k.reach = k.reach * 3 / 4
		} else {
			k.fell(t, o.Dir)
		}
		if random.IntN(2) == 0 {
			grow(random.IntN(300), random.Int64N(500))
		}
	}
	for range 2 { // a run that was killed ends with the version it began with
		if _, ended := run(t, o, 0); !ended {
			t.Fatal("it was not killed, and failed")
		}
	}
	check(t, o.Dir, rows)
}

// run runs a victim, and kills it so long after it is ready; 0 lets it end. It
// took so long from there.
func run(t *testing.T, o order, kill time.Duration) (took time.Duration, ended bool) {
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
	cmd.Env = append(os.Environ(), victimEnv+"="+string(text))
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

// check reads the stream.
func check(t *testing.T, dir string, rows int) {
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
			t.Errorf("event %s twice", e.ID)
		}
		ids[e.ID], found[gjson.GetBytes(e.Data, "id").Int()] = true, true
	}
	if len(ids) != rows || len(found) != rows {
		t.Errorf("%d events of %d rows, want %d", len(ids), len(found), rows)
	}
}
