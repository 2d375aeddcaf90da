package exporter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// childEnv holds what a child process exports; TestMain does so in place of
// the tests.
const childEnv = "LYTICS_TEST_EXPORT_CHILD"

func TestMain(m *testing.M) {
	text := os.Getenv(childEnv)
	if text == "" {
		os.Exit(m.Run())
	}
	var c child
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	if err := c.run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is one export of a generation: all rows of the table carry its number,
// and there are as many as the number says.
type child struct {
	Sandbox    sandboxtest.Sandbox
	Database   string
	Generation int
}

func rowsOf(generation int) int { return 2100 + generation%7*300 }

func (c child) run() error {
	ctx := context.Background()
	area, err := staging.Open(ctx, staging.S3Config{
		Bucket: c.Sandbox.S3Bucket, Region: c.Sandbox.S3Region, Endpoint: c.Sandbox.S3Endpoint, UsePathStyle: true, Prefix: c.Database,
		AccessKeyID: c.Sandbox.S3AccessKey, SecretAccessKey: jobs.NewSecret(c.Sandbox.S3SecretKey),
	})
	if err != nil {
		return err
	}
	b := &bed{sandbox: &c.Sandbox, database: c.Database, staging: bucket{area}}
	// Every fifth generation has another column, and so another way to replace.
	pairs := []string{"gen", "int", "id", "string"}
	if c.Generation%5 == 4 {
		pairs = append(pairs, "more", "date")
	}
	audience := people{fields: fields(pairs...)}
	for i := range rowsOf(c.Generation) {
		cells := row(strconv.Itoa(c.Generation), strconv.Itoa(i), "2024-01-01T00:00:00Z")
		audience.rows = append(audience.rows, cells[:len(pairs)/2])
	}
	return b.export(audience, kindOf(fileKinds[c.Generation%len(fileKinds)]), func(e *exporter.Export) { e.FileBytes = 1 }).Run(ctx)
}

// bucket is S3 as the exporter wants it.
type bucket = area

// start runs the export of a generation in a process of its own.
func (b *bed) start(ctx context.Context, generation int) (*exec.Cmd, *strings.Builder) {
	b.t.Helper()
	text, err := json.Marshal(child{Sandbox: *b.sandbox, Database: b.database, Generation: generation})
	if err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	var output strings.Builder
	cmd.Stderr = &output
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	return cmd, &output
}

// watch is what a reader of the target saw.
type watch struct {
	looks int
	last  int
	seen  map[int]bool
}

// follow polls the target until it is stopped: each look must see all rows of
// one generation, and never an older one than the look before.
func (b *bed) follow(ctx context.Context, wh *databricks.Warehouse) (*watch, error) {
	w := &watch{last: -1, seen: map[int]bool{}}
	for {
		low, high, count, err := b.look(ctx, wh)
		switch {
		case ctx.Err() != nil:
			return w, nil //nolint:nilerr // it was told to stop: the look that this interrupted says nothing
		case err != nil:
			return w, fmt.Errorf("look %d: %w", w.looks, err)
		case low < 0 || low != high || count != rowsOf(low) || low < w.last:
			return w, fmt.Errorf("look %d, after generation %d: %d rows from %d to %d", w.looks, w.last, count, low, high)
		}
		w.last, w.seen[low] = low, true
		w.looks++
	}
}

// look reads the target's generations and counts its rows; -1 is none.
func (b *bed) look(ctx context.Context, wh *databricks.Warehouse) (low, high, count int, err error) {
	rows, err := wh.Query(ctx, "SELECT coalesce(min(gen), -1), coalesce(max(gen), -1), count(*) FROM "+b.table())
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(&low, &high, &count); err != nil {
			return 0, 0, 0, err
		}
	}
	return low, high, count, rows.Err()
}

// checklist 28 31: an export is killed at any moment, again and again; whoever
// reads the table sees the whole old one or the whole new one, always, and in
// the end nothing is left. LYTICS_TORTURE=1 kills 200 times; LYTICS_TORTURE_SEED
// repeats a seed that failed.
func TestTortureKilledExportsNeverShow(t *testing.T) {
	t.Parallel()
	kills, seed := 10, uint64(time.Now().UnixNano())
	if os.Getenv("LYTICS_TORTURE") != "" {
		kills = 200
	}
	if sandboxtest.Spark() {
		kills = min(kills, 10)
	}
	if n, err := strconv.ParseUint(os.Getenv("LYTICS_TORTURE_SEED"), 10, 64); err == nil {
		seed = n
	}
	defer func() {
		if t.Failed() {
			t.Logf("repeat it with LYTICS_TORTURE_SEED=%d", seed)
		}
	}()
	r := rand.New(rand.NewPCG(seed, 1))
	b := newBed(t, sandboxtest.Start(t))
	began := time.Now()
	if cmd, output := b.start(t.Context(), 0); cmd.Wait() != nil {
		t.Fatal(output)
	}
	whole := time.Since(began)

	wh, err := b.connect(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	type outcome struct {
		*watch
		err error
	}
	read := make(chan outcome, 1)
	go func() {
		w, err := b.follow(ctx, wh)
		read <- outcome{w, err}
	}()
	var killed, finished int
	// The kills follow the speed of the machine, so that they fall everywhere.
	reach := whole
	generation := 1
	for ; killed < kills && generation < 5*kills; generation++ {
		cmd, output := b.start(t.Context(), generation)
		kill := time.AfterFunc(time.Duration((0.3+r.Float64())*float64(reach)), func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		switch {
		case err == nil:
			finished++
			reach = reach * 4 / 5
		case kill.Stop():
			t.Errorf("generation %d failed by itself: %s", generation, output)
		default:
			if killed++; killed%20 == 0 {
				t.Logf("%d of %d killed", killed, kills)
			}
			reach = reach * 26 / 25
		}
		kill.Stop()
	}
	if cmd, output := b.start(t.Context(), generation); cmd.Wait() != nil {
		t.Error(output)
	}
	if got := b.query("SELECT min(gen), max(gen), count(*) FROM " + b.table())[0]; fmt.Sprint(got) != fmt.Sprint([]int{generation, generation, rowsOf(generation)}) {
		t.Errorf("in the end the table has %v", got)
	}
	stop()
	saw := <-read
	if saw.err != nil {
		t.Error(saw.err)
	}
	_ = wh.Close() // its last query was cancelled
	b.wantNothingLeft()
	t.Logf("%d killed, %d finished; %d looks saw %d generations; one export takes %s", killed, finished, saw.looks, len(saw.seen), whole.Round(time.Millisecond))
	if killed < kills || saw.looks < kills || kills >= 200 && len(saw.seen) < kills/10 {
		t.Errorf("the kills or the looks missed the export")
	}
}
