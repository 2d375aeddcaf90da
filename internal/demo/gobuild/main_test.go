package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The packages and the downloads of go build -v are progress; all other lines are messages,
// and are kept as they are.
func TestPackagesAreProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &progress{text: "building the provider", begin: time.Now()}
		var messages bytes.Buffer
		p.read(strings.NewReader("internal/goarch\ngo: downloading github.com/a/b v1.2.3\ngolang.org/x/sys/unix\n"+
			"# example.com/broken\n./main.go:3:5: undefined: x\n"), &messages)
		if d := cmp.Diff("# example.com/broken\n./main.go:3:5: undefined: x\n", messages.String()); d != "" {
			t.Errorf("messages (-want +got):\n%s", d)
		}
		if d := cmp.Diff("building the provider", p.line()); d != "" {
			t.Errorf("at the beginning (-want +got):\n%s", d)
		}
		time.Sleep(70 * time.Second)
		if d := cmp.Diff("building the provider: 1m10s, 2 packages compiled, now at golang.org/x/sys/unix", p.line()); d != "" {
			t.Errorf("later (-want +got):\n%s", d)
		}
	})
}

// A file gets whole lines without escape codes, a terminal one line that is replaced.
func TestAFileGetsNoEscapeCodes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var file, screen bytes.Buffer
		for _, p := range []*progress{
			{text: "building the sandbox", out: &file, begin: time.Now()},
			{text: "building the sandbox", out: &screen, begin: time.Now(), terminal: true},
		} {
			p.print()
			p.read(strings.NewReader("runtime\n"), &bytes.Buffer{})
			time.Sleep(p.every())
			p.print()
			p.end(nil)
		}
		want := "building the sandbox\nbuilding the sandbox: 10s, 1 packages compiled, now at runtime\nbuilding the sandbox: done after 10s\n"
		if d := cmp.Diff(want, file.String()); d != "" {
			t.Errorf("a file (-want +got):\n%s", d)
		}
		if strings.Count(screen.String(), "\n") != 1 || strings.Count(screen.String(), "\r") != 3 {
			t.Errorf("a terminal got %q, want one line that is replaced twice", screen.String())
		}
	})
}
