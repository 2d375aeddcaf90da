package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// screen is the demo's output. A file or a pipe gets plain text: escape codes are for
// terminals, and only where NO_COLOR is not set (https://no-color.org).
type screen struct {
	w     io.Writer
	color bool
}

func newScreen(w io.Writer) screen {
	f, ok := w.(*os.File)
	return screen{w: &oneAtATime{w: w}, color: ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""}
}

// oneAtATime is a writer for several goroutines: Terraform and the warehouse write while the
// demo does.
type oneAtATime struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *oneAtATime) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(p)
}

func (s screen) styled(code, text string) string {
	if !s.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s screen) bold(text string) string { return s.styled("1", text) }

func (s screen) dim(text string) string { return s.styled("2", text) }

// heading begins a part of the demo.
func (s screen) heading(text string) { s.print("\n%s\n", s.bold(text)) }

// line prints an indented line.
func (s screen) line(format string, args ...any) { s.print("  "+format+"\n", args...) }

// print ignores an error: a demo whose output is closed goes on to clean up.
func (s screen) print(format string, args ...any) { _, _ = fmt.Fprintf(s.w, format, args...) }

// indented is the output for other programs, whose lines are indented.
func (s screen) indented() io.Writer { return indent{s.w} }

// indent indents lines.
type indent struct{ w io.Writer }

func (i indent) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if _, err := i.w.Write(append([]byte("  "), line...)); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
