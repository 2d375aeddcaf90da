package databricks

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// checkAnswer replays a conversation with one answer replaced, and holds that the process
// lives, that its memory is bounded, and that a result without an error has all rows.
func checkAnswer(t *testing.T, name string, at int, body []byte) error {
	t.Helper()
	answers := recorded(t, name)
	at = int(uint(at) % uint(len(answers)))
	answers[at].body = body
	p := &player{answers: answers}
	var rows int64
	var err error
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	inBubble(t, func(ctx context.Context) { rows, err = replay(ctx, conversations[name], p) })
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
		return fmt.Errorf("%s, answer %d: %d MB were allocated", name, at, used>>20)
	}
	switch {
	case err == nil && rows != p.told():
		return fmt.Errorf("%s, answer %d: got %d rows without an error; the answers tell %d", name, at, rows, p.told())
	case err != nil && strings.Contains(err.Error(), "the driver cannot read it"):
		return fmt.Errorf("%s, answer %d: the checks let through what panics: %w", name, at, err)
	}
	return nil
}

// inBubble runs a test with its own clock. The driver leaves the timer of its last request,
// which ends by itself.
func inBubble(t *testing.T, run func(ctx context.Context)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		run(t.Context())
		time.Sleep(time.Hour)
	})
}

// The conversations are read as they were recorded.
func TestRecordedAnswersAreRead(t *testing.T) {
	t.Parallel()
	for name, c := range conversations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &player{answers: recorded(t, name)}
			inBubble(t, func(ctx context.Context) {
				n, err := replay(ctx, c, p)
				if want := map[string]int64{manyTypes: 40, importRows: 60}[c.statement]; n != want || err != nil {
					t.Errorf("got %d rows of %d: %v", n, want, err)
				}
			})
			if n := len(p.answers); n > 2 {
				t.Errorf("%d answers were not requested", n)
			}
		})
	}
}

// Checklist 73: a malformed answer of the warehouse is an error.
func FuzzWarehouseAnswers(f *testing.F) {
	names := slices.Sorted(maps.Keys(conversations))
	for i, name := range names {
		for at, a := range recorded(f, name) {
			f.Add(uint8(i), uint8(at), a.body)
		}
	}
	f.Fuzz(func(t *testing.T, i, at uint8, body []byte) {
		if err := checkAnswer(t, names[int(i)%len(names)], int(at), body); err != nil {
			t.Error(err)
		}
	})
}

// Checklist 73: mutated answers are read or are an error, the process lives, and no count of
// rows is wrong. LYTICS_FUZZ_ANSWERS is their number, and LYTICS_FUZZ_SEED the first seed;
// an error names the seed of its answer.
//
//nolint:paralleltest // it measures what is allocated
func TestMutatedAnswers(t *testing.T) {
	number := func(name string, unset int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return unset
	}
	seed := number("LYTICS_FUZZ_SEED", 1)
	names := slices.Sorted(maps.Keys(conversations))
	mutants := 300
	if testing.Short() {
		mutants = 30
	}
	for i := range number("LYTICS_FUZZ_ANSWERS", mutants) {
		seed := seed + i
		r := rand.New(rand.NewPCG(uint64(seed), 0))
		name := names[r.IntN(len(names))]
		answers := recorded(t, name)
		at := r.IntN(len(answers))
		body := bytes.Clone(answers[at].body)
		for range 1 + r.IntN(3) {
			body = mutated(r, body)
		}
		if err := checkAnswer(t, name, at, body); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// extremes are values of lengths, counts and offsets at which checks fail.
var extremes = []uint64{0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40, 1 << 47, 1<<63 - 1, 1 << 63, 1<<64 - 1}

// mutated makes one change of bits, bytes, a number, a range, or the end.
func mutated(r *rand.Rand, b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	at := r.IntN(len(b))
	span := min(1+r.IntN(16), len(b)-at)
	switch r.IntN(8) {
	case 0, 1:
		b[at] ^= 1 << r.IntN(8)
	case 2:
		b[at] = byte(r.IntN(256))
	case 3, 4:
		size, v := 1<<r.IntN(4), extremes[r.IntN(len(extremes))]
		if r.IntN(2) == 0 {
			copy(b[at:], binary.LittleEndian.AppendUint64(nil, v)[:size])
		} else {
			copy(b[at:], binary.BigEndian.AppendUint64(nil, v)[8-size:])
		}
	case 5:
		b = append(b[:at:at], b[at+span:]...)
	case 6:
		b = slices.Concat(b[:at+span], b[at:at+span], b[at+span:])
	default:
		b = b[:at]
	}
	return b
}
