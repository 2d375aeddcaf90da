package embedded

import (
	"fmt"
	"testing"
)

// The filter never denies an identity that it has, whatever its size, and takes few
// others for known ones.
func TestTheFilterOfIdentities(t *testing.T) {
	t.Parallel()
	const n = 20_000
	name := func(i int) identity { return identity{i % 3, fmt.Sprint("user", i)} }
	for _, expected := range []int64{0, 1, n / 10, n, 10 * n} {
		f := newIdentityFilter(expected)
		for i := range n {
			f.add(name(i))
		}
		mistaken := 0
		for i := range n {
			if !f.mayHave(name(i)) {
				t.Fatalf("the filter for %d denies identity %d", expected, i)
			}
			if f.mayHave(name(n + i)) {
				mistaken++
			}
		}
		if expected >= n && mistaken > n/100 {
			t.Errorf("the filter for %d takes %d of %d new identities for known ones", expected, mistaken, n)
		}
	}
}
