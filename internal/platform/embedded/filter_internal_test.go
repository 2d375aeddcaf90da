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

// The identities that are not written yet have the owner that was put last, and are
// drained once, in the order of the index.
func TestIdentitiesThatAreNotWrittenYet(t *testing.T) {
	t.Parallel()
	u := newUnwrittenIdentities()
	for round := range int64(3) {
		want := map[identity]int64{}
		for i := range 5000 * (1 + round) {
			o := owner{identity{int(i % 3), fmt.Sprint("user", i*7919%3001)}, i + round}
			u.put(o)
			want[o.identity] = o.profile
			if i%1700 == 0 {
				u.endRun()
			}
		}
		for i, profile := range want {
			if got, ok := u.find(i); !ok || got != profile {
				t.Fatalf("the owner of %v is %d %t, want %d", i, got, ok, profile)
			}
		}
		if _, ok := u.find(identity{3, "user1"}); ok {
			t.Error("an identity of another field is found")
		}
		var last identity
		check := func(some []owner) error {
			for _, o := range some {
				if o.compare(last) <= 0 || want[o.identity] != o.profile {
					t.Fatalf("%v after %v, want profile %d", o, last, want[o.identity])
				}
				last = o.identity
				delete(want, o.identity)
			}
			return nil
		}
		if err := u.drain(100, check); err != nil || len(want) > 0 {
			t.Fatalf("%d identities are left, %v", len(want), err)
		}
		if _, ok := u.find(last); ok {
			t.Error("an identity is found after it was written")
		}
	}
}
