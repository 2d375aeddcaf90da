package hostiletest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
)

// The environment variables of the tests of mutated answers: their number, and the seed of a
// failure that is to be repeated alone.
const (
	answersVariable = "LYTICS_FUZZ_ANSWERS"
	seedVariable    = "LYTICS_FUZZ_SEED"
	// seedFileVariable names the file in which a child keeps the seed that it tries, because
	// a crash does not print it.
	seedFileVariable = "LYTICS_TEST_HOSTILE_SEED_FILE"
)

// seedTimeout is the time after which an answer counts as one that hangs its reader.
const seedTimeout = 5 * time.Minute

// EachSeed calls try with a generator for each seed, and reports the seed of an error or of a
// panic. In bubbles, each call has one of testing/synctest, so that pauses take no time.
func EachSeed(t *testing.T, bubbles bool, try func(t *testing.T, r *rand.Rand) error) {
	t.Helper()
	first, n := uint64(1), uint64(200)
	if text := os.Getenv(answersVariable); text != "" {
		n = number(t, answersVariable, text)
	}
	if text := os.Getenv(seedVariable); text != "" {
		first, n = number(t, seedVariable, text), 1
	}
	failures := 0
	for seed := first; seed < first+n && failures < 20; seed++ {
		if file := os.Getenv(seedFileVariable); file != "" {
			if err := os.WriteFile(file, strconv.AppendUint(nil, seed, 10), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		hangs := time.AfterFunc(seedTimeout, func() { panic(fmt.Sprintf("%s=%d did not end within %s", seedVariable, seed, seedTimeout)) })
		var err error
		if bubbles {
			synctest.Test(t, func(t *testing.T) { err = trySeed(t, seed, try) })
		} else {
			err = trySeed(t, seed, try)
		}
		hangs.Stop()
		if err != nil {
			failures++
			t.Errorf("%s=%d: %v", seedVariable, seed, err)
		}
	}
}

func trySeed(t *testing.T, seed uint64, try func(t *testing.T, r *rand.Rand) error) (err error) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return try(t, rand.New(rand.NewPCG(seed, 0))) //nolint:gosec // a seed repeats its answer
}

func number(t *testing.T, name, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// CheckError returns an error if the error of a call with a mutated answer is not one that
// says what to do. Only an answer that says so may mean that an object does not exist.
func CheckError(err error, missing bool) error {
	e, ok := errors.AsType[*jobs.Error](err)
	panicked, isPanic := errors.AsType[*panics.Error](err)
	switch {
	case isPanic:
		return fmt.Errorf("%w\n%s", panicked, panicked.Frames)
	case !ok:
		return fmt.Errorf("the call failed without a *jobs.Error: %w", err)
	case e.Summary == "" || e.Next == "":
		return fmt.Errorf("the error does not say what to do: %w", err)
	case len(err.Error()) > 40_000:
		return fmt.Errorf("the error has %d bytes", len(err.Error()))
	case e.Code == jobs.CodeNotFound && !missing:
		return fmt.Errorf("the object counts as missing: %w", err)
	}
	return nil
}
