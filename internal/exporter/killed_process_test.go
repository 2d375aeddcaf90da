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
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// childEnv holds the childExport of a child process: with it, TestMain exports and
// runs no tests.
const childEnv = "LYTICS_TEST_EXPORT_CHILD"

func TestMain(m *testing.M) {
	text := os.Getenv(childEnv)
	if text == "" {
		os.Exit(m.Run())
	}
	var c childExport
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	if err := c.run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// childExport is the export of one generation of rows. Each row has the generation's
// number, which also gives the number of rows.
type childExport struct {
	Sandbox    sandboxtest.Sandbox
	Database   string
	Generation int
	// Volume stages the files in the sandbox's volume instead of its bucket.
	Volume bool
}

func rowsOfGeneration(generation int) int { return 2100 + generation%7*300 }

func (c childExport) run() error {
	ctx := context.Background()
	b := &fixture{sandbox: &c.Sandbox, database: c.Database}
	if c.Volume {
		area, err := staging.OpenVolume(ctx, volumeOf(c.Database), b.workspace())
		if err != nil {
			return err
		}
		b.staging = volumeStaging{area}
		return b.exportGeneration(c.Generation).Run(ctx)
	}
	area, err := staging.Open(ctx, staging.S3Config{
		Bucket: c.Sandbox.S3Bucket, Region: c.Sandbox.S3Region, Endpoint: c.Sandbox.S3Endpoint, UsePathStyle: true, Prefix: c.Database,
		AccessKeyID: c.Sandbox.S3AccessKey, SecretAccessKey: jobs.NewSecret(c.Sandbox.S3SecretKey),
	})
	if err != nil {
		return err
	}
	b.staging = s3Staging{area}
	return b.exportGeneration(c.Generation).Run(ctx)
}

// exportGeneration returns the export of a generation, in several files.
func (b *fixture) exportGeneration(generation int) *exporter.Export {
	// Every fifth generation has one more column: the table is replaced by CREATE OR
	// REPLACE.
	pairs := []string{"gen", "int", "id", "string"}
	if generation%5 == 4 {
		pairs = append(pairs, "more", "date")
	}
	audience := fakeAudience{fields: fields(pairs...)}
	for i := range rowsOfGeneration(generation) {
		cells := row(strconv.Itoa(generation), strconv.Itoa(i), "2024-01-01T00:00:00Z")
		audience.rows = append(audience.rows, cells[:len(pairs)/2])
	}
	return b.export(audience, withFormat(fileFormats[generation%len(fileFormats)]), withFileBytes(8<<10))
}

// start starts the export of a generation in a child process.
func (b *fixture) start(ctx context.Context, generation int) (*exec.Cmd, *strings.Builder) {
	b.t.Helper()
	_, volume := b.staging.(volumeStaging)
	text, err := json.Marshal(childExport{Sandbox: *b.sandbox, Database: b.database, Generation: generation, Volume: volume})
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

// observed is what a reader of the target saw.
type observed struct {
	// looks counts the reads, last is the last generation read, and seen are all of
	// them.
	looks int
	last  int
	seen  map[int]bool
}

// watchTarget reads the target again and again until ctx ends. Each read must see all
// rows of one generation, which is not older than that of the read before.
func (b *fixture) watchTarget(ctx context.Context, wh *databricks.Warehouse) (*observed, error) {
	w := &observed{last: -1, seen: map[int]bool{}}
	for {
		low, high, count, err := b.readGenerations(ctx, wh)
		switch {
		case ctx.Err() != nil:
			return w, nil //nolint:nilerr // the end of ctx interrupted the read
		case err != nil:
			return w, fmt.Errorf("read %d: %w", w.looks, err)
		case low < 0 || low != high || count != rowsOfGeneration(low) || low < w.last:
			return w, fmt.Errorf("read %d, after generation %d: got %d rows of the generations %d to %d, want all rows of one",
				w.looks, w.last, count, low, high)
		}
		w.last, w.seen[low] = low, true
		w.looks++
	}
}

// readGenerations returns the least and greatest generation of the target's rows, -1
// without rows, and their number.
func (b *fixture) readGenerations(ctx context.Context, wh *databricks.Warehouse) (low, high, count int, err error) {
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

// checklist 28 31: an export is killed at any moment, again and again. A reader always
// sees the whole old table or the whole new one, and in the end nothing is left.
// LYTICS_TORTURE=1 kills 200 times.
func TestReadersNeverSeeAKilledExport(t *testing.T) {
	t.Parallel()
	kills := torture.Times(10, 40, 200)
	if sandboxtest.Spark() {
		kills = min(kills, 10)
	}
	b := newFixture(t, sandboxtest.Start(t))
	b.killExports(kills, torture.Begin(t, "Export killed under a reader", "SIGKILLs"))
}

// checklist 28 31: the same when the files wait in a Unity Catalog volume.
func TestReadersNeverSeeAKilledExportFromAVolume(t *testing.T) {
	t.Parallel()
	kills := torture.Times(4, 20, 100)
	if sandboxtest.Spark() {
		kills = min(kills, 4)
	}
	b := newFixture(t, sandboxtest.Start(t))
	b.staging = volumeStaging{b.openVolume(b.database)}
	b.killExports(kills, torture.Begin(t, "Export killed under a reader, staging in a volume", "SIGKILLs"))
}

// killExports kills exports at any moment, while a reader watches the target.
func (b *fixture) killExports(kills int, record *torture.Record) {
	t, ok := b.t.(*testing.T)
	if !ok {
		b.t.Fatal("kills need a test, not a benchmark")
	}
	t.Helper()
	r := rand.New(rand.NewPCG(torture.Seed(t), 1))
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
		*observed
		err error
	}
	read := make(chan outcome, 1)
	go func() {
		w, err := b.watchTarget(ctx, wh)
		read <- outcome{w, err}
	}()
	var killed, finished int
	// The kills follow the speed of the machine, so that they hit every phase.
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
			t.Errorf("generation %d: got a failure before the kill: %s", generation, output)
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
	got := fmt.Sprint(b.query("SELECT min(gen), max(gen), count(*) FROM " + b.table())[0])
	if want := fmt.Sprint([]int{generation, generation, rowsOfGeneration(generation)}); got != want {
		t.Errorf("got the generations and the row count %s in the end, want %s", got, want)
	}
	stop()
	saw := <-read
	if saw.err != nil {
		record.Wrong++
		t.Error(saw.err)
	}
	_ = wh.Close() // its last query was cancelled
	b.wantNoLeftovers()
	record.Tried = killed
	record.Note = fmt.Sprintf("%d reads saw %d whole tables and nothing else", saw.looks, len(saw.seen))
	t.Logf("%d killed, %d finished; %d reads saw %d generations; one export takes %s",
		killed, finished, saw.looks, len(saw.seen), whole.Round(time.Millisecond))
	if killed < kills || saw.looks < kills || kills >= 200 && len(saw.seen) < kills/10 {
		t.Errorf("got %d kills and %d reads, want at least %d of each", killed, saw.looks, kills)
	}
}
