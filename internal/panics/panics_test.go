package panics_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
)

func TestAPanicBecomesAnErrorWithItsStack(t *testing.T) {
	t.Parallel()
	var empty []int
	var missing *struct{ n int }
	for name, c := range map[string]struct {
		f    func() error
		want string
	}{
		"index":  {func() error { return fmt.Errorf("%d", empty[len(empty)+2]) }, "panic: runtime error: index out of range [2] with length 0"},
		"nil":    {func() error { return fmt.Errorf("%d", missing.n) }, "panic: runtime error: invalid memory address or nil pointer dereference"},
		"text":   {func() error { panic("no such thing") }, "panic: no such thing"},
		"value":  {func() error { panic(map[string]string{"email": "ann@example.com"}) }, "panic: a value of type map[string]string"},
		"long":   {func() error { panic(strings.Repeat("x", 10_000)) }, "panic: " + strings.Repeat("x", 500) + "..."},
		"nested": {func() error { return panics.Catch(func() error { panic("inner") }) }, "panic: inner"},
		"passed on": {func() error {
			panic(panics.Catch(func() error { panic("in another goroutine") }))
		}, "panic: in another goroutine"},
	} {
		err := panics.Catch(c.f)
		p, ok := errors.AsType[*panics.Error](err)
		if !ok || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
			continue
		}
		if len(p.Frames) == 0 || !strings.Contains(p.Frames[0], "TestAPanicBecomesAnErrorWithItsStack") ||
			!strings.Contains(p.Frames[0], "(internal/panics/panics_test.go:") {
			t.Errorf("%s: got the frames %q, want the function that panicked first", name, p.Frames)
		}
	}
}

func TestAnErrorIsReturnedAsItIs(t *testing.T) {
	t.Parallel()
	want := errors.New("refused")
	if err := panics.Catch(func() error { return want }); err != want { //nolint:errorlint // the very same one
		t.Errorf("got %v, want %v", err, want)
	}
	if err := panics.Catch(func() error { return nil }); err != nil {
		t.Errorf("got %v, want none", err)
	}
}
