package embedded_test

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// memoryLimit is the limit of memory for an import and a scan of any size.
const memoryLimit = 512 << 20

// peakMemory is the largest amount of memory that this process has used, in bytes; 0 if
// the operating system does not report it.
func peakMemory(t *testing.T) int64 {
	t.Helper()
	return reported(t, "/proc/self/status", "VmHWM:") << 10
}

// written is the number of bytes that this process has written; 0 if the operating system
// does not report it.
func written(t *testing.T) int64 {
	t.Helper()
	return reported(t, "/proc/self/io", "wchar:")
}

// reported is a number of a file of the operating system; 0 if there is none.
func reported(t *testing.T, file, name string) int64 {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), name); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			check(t, err)
			return n
		}
	}
	return 0
}

func diskUsage(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	if dir == "" {
		return 0
	}
	check(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		bytes += info.Size()
		return err
	}))
	return bytes
}

// The test imports and scans ten million profiles with two identifiers each, in an
// order that is random for every index. It runs alone, with LYTICS_TORTURE=1.
// LYTICS_TORTURE_PROFILES sets another number of profiles.
func TestTenMillionProfiles(t *testing.T) { //nolint:paralleltest // it measures memory
	if torture.LevelOf() != torture.Whole {
		t.Skip("LEFT OUT: ten million profiles, which take long: make nightly imports them")
	}
	profiles := 10_000_000
	if n, err := strconv.Atoi(os.Getenv("LYTICS_TORTURE_PROFILES")); err == nil {
		profiles = n
	}
	at := benchDeployment(t)
	b := openPlatform(t, at)
	b.mustField(t, jobs.Field{ID: "customer_id", Type: "string", IsIdentifier: true})
	b.mustField(t, jobs.Field{ID: "email", Type: "string", IsIdentifier: true})
	b.mustField(t, jobs.Field{ID: "name", Type: "string"})
	b.mustField(t, jobs.Field{ID: "spend", Type: "number", MergeOperation: "sum"})
	for field, expression := range map[string]string{"customer_id": "id", "email": "email(email)", "name": "name", "spend": "total"} {
		b.mustMap(t, "customers", field, expression, "")
	}
	b.mustAudience(t, "All", "spend >= 0")
	report := func(what string, n int, since time.Time) {
		t.Logf("%s: %d in %s, %.0f a second; peak memory %d MB; disk %d MB; written so far %d MB", what, n,
			time.Since(since).Round(time.Millisecond), float64(n)/time.Since(since).Seconds(), peakMemory(t)>>20,
			diskUsage(t, at.dir)>>20, written(t)>>20)
	}

	const batch = 20_000
	begin := time.Now()
	for from := 0; from < profiles; from += batch {
		events := make([]jobs.Event, 0, batch)
		for i := from; i < min(from+batch, profiles); i++ {
			// A multiplication by an odd number is a permutation of 32 bits.
			id := uint32(i) * 2654435761
			events = append(events, event(fmt.Sprintf("%032x", i), day0, fmt.Sprintf(`{"id":"%08x","email":"user%d@example.com","name":"Name %d","total":%d.%02d}`, id, id, i, i%1000, i%100)))
		}
		b.mustAppend(t, "customers", events)
	}
	report("append", profiles, begin)

	begin = time.Now()
	if s := b.mustBuild(t); s.Profiles != int64(profiles) {
		t.Fatalf("%+v", s)
	}
	report("build", profiles, begin)

	// Events of the same customers in another order create no new profiles.
	more := profiles / 10
	for from := 0; from < more; from += batch {
		events := make([]jobs.Event, 0, batch)
		for i := from; i < min(from+batch, more); i++ {
			id := uint32(i*7%profiles) * 2654435761
			events = append(events, event(fmt.Sprintf("again%032x", i), day0, fmt.Sprintf(`{"id":"%08x","total":1}`, id)))
		}
		b.mustAppend(t, "customers", events)
	}
	begin = time.Now()
	if s := b.mustBuild(t); s.Profiles != int64(profiles) {
		t.Fatalf("%+v", s)
	}
	report("build of known ones", more, begin)

	begin = time.Now()
	_, rows, err := b.Scan(t.Context(), "all", nil)
	check(t, err)
	n := 0
	for _, err := range rows {
		check(t, err)
		n++
	}
	report("scan", n, begin)
	if n != profiles {
		t.Errorf("%d profiles scanned of %d", n, profiles)
	}
	// In a fleet, the bucket is part of this process and of its memory, so the limit
	// is checked with a data directory only; the code of a build is the same.
	if peak := peakMemory(t); peak > memoryLimit && !at.fleet() {
		t.Errorf("%d MB of memory at the peak", peak>>20)
	}
}
