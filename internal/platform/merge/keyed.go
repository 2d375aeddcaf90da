package merge

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// keyed is a map with a capacity. It keeps the best entry of each key, and the keys with
// the best entries up to the capacity; the operation defines which of two entries is
// better. The result does not depend on the order of the events: an entry is replaced
// only by a better one, so the worst entry that is kept never gets worse, and a key
// that was dropped returns only with an entry that beats it.
type keyed struct {
	rule    Rule
	entries map[string]entry
}

// entry is a key's value and its stamp, which is zero for mapmax and mapmin.
type entry struct {
	at Stamp
	v  value.Value
}

// better compares entries by the operation: it is above 0 if a is better than b.
func (k *keyed) better(a, b entry) int {
	switch k.rule.op {
	case MapMax:
		return value.Compare(a.v, b.v)
	case MapMin:
		return value.Compare(b.v, a.v)
	case OldestMap:
		return cmp.Or(b.at.compare(a.at), value.Compare(a.v, b.v))
	default:
		return cmp.Or(a.at.compare(b.at), value.Compare(a.v, b.v))
	}
}

func (k *keyed) put(key string, e entry) {
	old, ok := k.entries[key]
	if ok && k.better(e, old) <= 0 {
		return
	}
	e.v, e.at.ID = e.v.Clone(), strings.Clone(e.at.ID)
	if ok {
		k.entries[key] = e
		return
	}
	if k.entries == nil {
		k.entries = map[string]entry{}
	}
	k.entries[strings.Clone(key)] = e
	// Waiting until twice the capacity keeps the cost for each key small.
	if len(k.entries) > 2*k.rule.capacity+16 {
		k.dropExcess()
	}
}

// dropExcess drops all but the best keys, up to the capacity. It does not change Value.
func (k *keyed) dropExcess() {
	if len(k.entries) <= k.rule.capacity {
		return
	}
	keys := make([]string, 0, len(k.entries))
	for key := range k.entries {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(k.better(k.entries[b], k.entries[a]), cmp.Compare(a, b))
	})
	for _, key := range keys[k.rule.capacity:] {
		delete(k.entries, key)
	}
}

func (k *keyed) Add(v value.Value, at Stamp) {
	if k.rule.op == MapMax || k.rule.op == MapMin {
		at = Stamp{}
	}
	for _, e := range v.Entries() {
		k.put(e.Key, entry{at: at, v: e.Value})
	}
}

func (k *keyed) Merge(o State) {
	for key, e := range sameType(k, o).entries {
		k.put(key, e)
	}
}

func (k *keyed) Value(now time.Time) value.Value {
	k.dropExcess()
	cutoff := k.rule.cutoff(now)
	entries := make([]value.Entry, 0, len(k.entries))
	for key, e := range k.entries {
		if e.at.Micros >= cutoff {
			entries = append(entries, value.Entry{Key: key, Value: e.v})
		}
	}
	if len(entries) == 0 {
		return value.Value{}
	}
	return value.OfMap(entries)
}

func (k *keyed) AppendBinary(b []byte, stamps *Stamps) []byte {
	k.dropExcess()
	b = binary.AppendUvarint(b, uint64(len(k.entries)))
	for key, e := range k.entries {
		b = e.v.AppendBinary(stamps.appendReference(value.AppendString(b, key), e.at))
	}
	return b
}

func (k *keyed) Read(r *value.Reader, stamps []Stamp) {
	n := r.Count()
	k.entries = make(map[string]entry, n)
	for range n {
		key := r.String()
		at := readReference(r, stamps)
		k.entries[key] = entry{at: at, v: r.Value()}
	}
}

func (k *keyed) AddStored(r *value.Reader, stamps []Stamp) {
	for range r.Count() {
		key := r.String()
		at := readReference(r, stamps)
		k.put(key, entry{at: at, v: r.Value()})
	}
}

func (k *keyed) Size() int { return 64 + 160*len(k.entries) }
