package fault_test

import (
	"bytes"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
)

func TestASeedRepeatsItsChanges(t *testing.T) {
	t.Parallel()
	descriptor := []byte{15, 0, 1, 12, 0, 0, 0, 1, 12, 0, 1, 8, 0, 1, 0, 0, 0, 7}
	answer := bytes.Join([][]byte{[]byte("before"), descriptor, bytes.Repeat([]byte("x"), 5000)}, nil)
	given := bytes.Clone(answer)
	for _, form := range []string{"any", "truncated", "types"} {
		changed := 0
		for number := range 100 {
			hit := fault.Hit{Fault: fault.Fault{Kind: fault.Mutate, Form: form, Seed: 7}, Number: number}
			first, again := hit.Mutate(answer), hit.Mutate(answer)
			if !bytes.Equal(first, again) {
				t.Fatalf("%s, hit %d: got two changes of one seed", form, number)
			}
			if !bytes.Equal(first, answer) {
				changed++
			}
		}
		if !bytes.Equal(answer, given) {
			t.Fatalf("%s changed the answer that it was given", form)
		}
		// A change can write the bytes that were there.
		if changed < 90 {
			t.Errorf("%s changed %d answers of 100", form, changed)
		}
	}
	if got := (fault.Hit{}).Mutate(nil); len(got) != 0 {
		t.Errorf("got %q of an empty answer", got)
	}
}
