// Command gobuild runs go build and shows how far it is: a first build compiles hundreds of
// packages and takes minutes. On a terminal it keeps one line, elsewhere it prints a line
// every ten seconds.
//
//	gobuild TEXT [-C DIR] ARGUMENTS OF go build
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: gobuild TEXT [-C DIR] ARGUMENTS OF go build")
		os.Exit(2)
	}
	p := &progress{
		text: os.Args[1], out: os.Stderr, begin: time.Now(),
		terminal: term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb",
	}
	err := build(context.Background(), p, os.Args[2:])
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gobuild:", err)
		os.Exit(1)
	}
}

// build runs go build with its arguments. -C comes first, as go demands.
func build(ctx context.Context, p *progress, args []string) error {
	var dir []string
	if len(args) > 2 && args[0] == "-C" {
		dir, args = args[:2], args[2:]
	}
	p.print()
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"build"}, dir, []string{"-v"}, args)...)
	cmd.Stdout = os.Stdout
	compiled, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var messages bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.read(compiled, &messages)
	}()
	tick := time.NewTicker(p.every())
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.print()
			continue
		case <-done:
		}
		break
	}
	err = cmd.Wait()
	p.end(err)
	_, _ = io.Copy(os.Stderr, &messages)
	return err
}

// progress shows how many packages have been compiled.
type progress struct {
	text     string
	out      io.Writer
	begin    time.Time
	terminal bool

	mu       sync.Mutex
	packages int
	last     string
}

// every is how often progress is shown.
func (p *progress) every() time.Duration {
	if p.terminal {
		return time.Second
	}
	return 10 * time.Second
}

// packagePath matches a line of go build -v about a package that it compiles. All other
// lines are messages.
var packagePath = regexp.MustCompile(`^[A-Za-z0-9._~\-]+(/[A-Za-z0-9._~\-]+)*$`)

// read counts the packages, and keeps the messages.
func (p *progress) read(from io.Reader, messages io.Writer) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		text, downloads := strings.CutPrefix(lines.Text(), "go: ")
		downloads = downloads && strings.HasPrefix(text, "downloading ")
		compiles := packagePath.MatchString(lines.Text())
		if !downloads && !compiles {
			_, _ = fmt.Fprintln(messages, lines.Text())
			continue
		}
		p.mu.Lock()
		if compiles {
			p.packages++
		}
		p.last = text
		p.mu.Unlock()
	}
	_, _ = io.Copy(messages, from) // after a line that is too long
}

// line describes the progress.
func (p *progress) line() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	took := time.Since(p.begin).Round(time.Second)
	switch {
	case took < time.Second:
		return p.text
	case p.last == "":
		return fmt.Sprintf("%s: %s", p.text, took)
	}
	return fmt.Sprintf("%s: %s, %d packages compiled, now at %s", p.text, took, p.packages, p.last)
}

func (p *progress) print() {
	if !p.terminal {
		_, _ = fmt.Fprintln(p.out, p.line())
		return
	}
	width := 80
	if f, ok := p.out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			width = w
		}
	}
	line := p.line()
	_, _ = fmt.Fprint(p.out, "\r"+line[:min(len(line), width-1)]+"\x1b[K")
}

// end replaces the line of a terminal by the result.
func (p *progress) end(err error) {
	result := "done"
	if err != nil {
		result = "failed"
	}
	text := fmt.Sprintf("%s: %s after %s", p.text, result, time.Since(p.begin).Round(100*time.Millisecond))
	if p.terminal {
		text = "\r" + text + "\x1b[K"
	}
	_, _ = fmt.Fprintln(p.out, strings.TrimSuffix(text, "\n"))
}
