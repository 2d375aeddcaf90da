// Package panics turns a panic into an error, so that it ends one run and not the
// process. A panic ends the process unless the goroutine that it happens in recovers it:
// each goroutine of a run calls Catch.
//
// Fatal errors of the runtime, such as a failed allocation, cannot be recovered. For them
// a runner executes its runs in worker processes.
package panics

import (
	"fmt"
	"runtime"
	"strings"
)

const (
	// maxFrames is the number of frames that an Error keeps.
	maxFrames = 24
	// maxMessage is the length of an Error's message in bytes.
	maxMessage = 500
)

// Error is a recovered panic.
type Error struct {
	// Message is the panic's text. A panic with a value that is neither an error nor a
	// text has the name of its type, because the value may be a customer's.
	Message string
	// Frames are the calls that led to the panic, innermost first, each as
	// "function (file:line)". They have no arguments.
	Frames []string
}

func (e *Error) Error() string { return "panic: " + e.Message }

// Catch calls f, and returns an *Error if f panics.
func Catch(f func() error) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case *Error: // a panic of a goroutine that was passed on
			err = v
		default:
			err = &Error{Message: message(v), Frames: frames()}
		}
	}()
	return f()
}

func message(v any) string {
	var text string
	switch v := v.(type) {
	case error:
		text = v.Error()
	case string:
		text = v
	default:
		return fmt.Sprintf("a value of type %T", v)
	}
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "..."
	}
	return text
}

// module is the prefix of this module's packages, and of its files in a build with
// -trimpath.
const module = "github.com/terraform-provider-lytics/terraform-provider-lytics/"

// frames returns the calls below the panic.
func frames() []string {
	pcs := make([]uintptr, 64)
	n := runtime.Callers(1, pcs)
	all := runtime.CallersFrames(pcs[:n])
	var out []string
	panicked := false
	for {
		f, more := all.Next()
		switch {
		case f.Function == "runtime.gopanic":
			panicked, out = true, nil
		case panicked && !strings.HasPrefix(f.Function, "runtime."):
			out = append(out, fmt.Sprintf("%s (%s:%d)", strings.TrimPrefix(f.Function, module), file(f.File), f.Line))
		}
		if !more || len(out) == maxFrames {
			return out
		}
	}
}

// file shortens the path of a source file to what a reader needs to find it.
func file(path string) string {
	if _, own, ok := strings.Cut(path, "/internal/"); ok {
		return "internal/" + own
	}
	if i := strings.LastIndex(path, "/"); i >= 0 {
		if j := strings.LastIndex(path[:i], "/"); j >= 0 {
			return path[j+1:]
		}
	}
	return path
}
