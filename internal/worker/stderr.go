package worker

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
)

const (
	// maxKept bounds what is kept of a worker's standard error, in bytes: of its
	// beginning and of its end.
	maxKept = 16 << 10
	// maxLines is the number of lines that last returns.
	maxLines = 24
	// maxLine is the length of such a line in bytes.
	maxLine = 400
)

// stderr keeps what a worker printed during one task.
type stderr struct {
	mu         sync.Mutex
	head, tail []byte
}

// Write implements io.Writer.
func (s *stderr) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := p
	if room := maxKept - len(s.head); room > 0 {
		n := min(room, len(rest))
		s.head = append(s.head, rest[:n]...)
		rest = rest[n:]
	}
	s.tail = append(s.tail, rest...)
	if len(s.tail) > maxKept {
		s.tail = bytes.Clone(s.tail[len(s.tail)-maxKept:])
	}
	return len(p), nil
}

// reset forgets what was printed, before the next task.
func (s *stderr) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head, s.tail = nil, nil
}

var (
	// fatal begins the report of a Go program about its own end.
	fatal = regexp.MustCompile(`^(panic: |fatal error: |runtime: |unexpected fault address |SIG[A-Z]+: )`)
	// arguments are the words that a stack shows behind a function: parts of values.
	arguments = regexp.MustCompile(`\((0x[0-9a-f]+|\{|\.\.\.|_)[^()]*\)$`)
	// offset is the program counter behind a source line.
	offset = regexp.MustCompile(` \+0x[0-9a-f]+$`)
)

// last returns the lines that say most about the worker's end: those from the first line
// of a fatal error on, or else the last ones. Stacks have no arguments in them.
func (s *stderr) last() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, part := range [][]byte{s.head, s.tail} {
		lines := strings.Split(strings.TrimSpace(string(part)), "\n")
		for i, line := range lines {
			if fatal.MatchString(line) {
				return tidy(lines[i:min(len(lines), i+maxLines)])
			}
		}
	}
	lines := strings.Split(strings.TrimSpace(string(s.head)+string(s.tail)), "\n")
	return tidy(lines[max(0, len(lines)-maxLines):])
}

func tidy(lines []string) []string {
	var out []string
	for _, line := range lines {
		line = strings.TrimRight(line, "\r\t ")
		line = arguments.ReplaceAllString(line, "(...)")
		line = offset.ReplaceAllString(strings.Replace(line, "\t", "  ", 1), "")
		if len(line) > maxLine {
			line = strings.ToValidUTF8(line[:maxLine], "") + "..."
		}
		if line != "" {
			out = append(out, line)
		}
	}
	return out
}
