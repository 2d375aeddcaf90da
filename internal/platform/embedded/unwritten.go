package embedded

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// unwrittenIdentities are the identities that have a new owner and that the transaction
// has not written yet, with their owners. Identities are in random order, so that a few of
// them change most pages of the index; the more are written together, the fewer pages are
// written for each. The memory has no pointers, so the collector does not read it.
type unwrittenIdentities struct {
	seed maphash.Seed
	// slots are a hash table. A slot is 1 more than the beginning of a record; an
	// empty one is 0. The number of slots is a power of two.
	slots []uint32
	// records are the identities, one after the other: the profile, in profileBytes
	// bytes, the field and the length of the value as varints, and the value.
	records []byte
	// order are the slots of all records. It consists of sorted runs, which end at
	// runs, and of the records after the last run.
	order []uint32
	runs  []int
}

const (
	profileBytes = 8
	// fewestSlots is the number of slots of a small table.
	fewestSlots = 1 << 10
	// usualRecord is the usual length of a record.
	usualRecord = 30
)

// reserve makes room for a number of identities, up to a number of bytes.
func (u *unwrittenIdentities) reserve(identities int64, bytes int) {
	n := int(min(identities, int64(bytes/usualRecord)))
	u.records, u.order = make([]byte, 0, n*usualRecord), make([]uint32, 0, n)
	u.makeSlots(n)
}

func (u *unwrittenIdentities) makeSlots(identities int) {
	slots := fewestSlots
	for 4*identities > 3*slots {
		slots *= 2
	}
	u.slots = make([]uint32, slots)
}

func newUnwrittenIdentities() unwrittenIdentities {
	return unwrittenIdentities{seed: maphash.MakeSeed()}
}

// record is one of the records, in its parts.
type record struct {
	field   int
	value   []byte
	profile int64
}

func (u *unwrittenIdentities) record(slot uint32) record {
	b := u.records[slot-1:]
	r := record{profile: int64(binary.LittleEndian.Uint64(b))}
	b = b[profileBytes:]
	field, n := binary.Uvarint(b)
	length, m := binary.Uvarint(b[n:])
	r.field, r.value = int(field), b[n+m:n+m+int(length)]
	return r
}

func (r record) compare(o record) int {
	return cmp.Or(cmp.Compare(r.field, o.field), bytes.Compare(r.value, o.value))
}

// place returns the index of the slot that has an identity, or of the empty slot for it.
func (u *unwrittenIdentities) place(field int, hash uint64, has func(value []byte) bool) (index uint64, found bool) {
	mask := uint64(len(u.slots) - 1)
	for index = hash & mask; u.slots[index] != 0; index = (index + 1) & mask {
		if r := u.record(u.slots[index]); r.field == field && has(r.value) {
			return index, true
		}
	}
	return index, false
}

func (u *unwrittenIdentities) find(i identity) (profile int64, ok bool) {
	if len(u.order) == 0 {
		return 0, false
	}
	at, ok := u.place(i.field, maphash.String(u.seed, i.value), func(value []byte) bool { return string(value) == i.value })
	if !ok {
		return 0, false
	}
	return u.record(u.slots[at]).profile, true
}

// put sets the owner of an identity.
func (u *unwrittenIdentities) put(o owner) {
	if 4*len(u.order) >= 3*len(u.slots) {
		u.grow()
	}
	at, ok := u.place(o.field, maphash.String(u.seed, o.value), func(value []byte) bool { return string(value) == o.value })
	if ok {
		binary.LittleEndian.PutUint64(u.records[u.slots[at]-1:], uint64(o.profile))
		return
	}
	u.slots[at] = uint32(len(u.records)) + 1
	u.order = append(u.order, u.slots[at])
	u.records = binary.LittleEndian.AppendUint64(u.records, uint64(o.profile))
	u.records = binary.AppendUvarint(binary.AppendUvarint(u.records, uint64(o.field)), uint64(len(o.value)))
	u.records = append(u.records, o.value...)
}

func (u *unwrittenIdentities) grow() {
	u.makeSlots(len(u.order) + 1)
	for _, slot := range u.order {
		at, _ := u.place(-1, maphash.Bytes(u.seed, u.record(slot).value), nil)
		u.slots[at] = slot
	}
}

// bytes is the memory of the identities.
func (u *unwrittenIdentities) bytes() int { return len(u.records) + 4*len(u.slots) + 4*len(u.order) }

// endRun sorts the records after the last run. They were put recently, so the processor's
// cache has them, and drain merges the runs.
func (u *unwrittenIdentities) endRun() {
	from := 0
	if len(u.runs) > 0 {
		from = u.runs[len(u.runs)-1]
	}
	if run := u.order[from:]; len(run) > 0 {
		slices.SortFunc(run, func(x, y uint32) int { return u.record(x).compare(u.record(y)) })
		u.runs = append(u.runs, len(u.order))
	}
}

// runHead is the first record of the rest of a run.
type runHead struct {
	record
	rest []uint32
}

// drain calls write for all identities, in the order of the index, some at a time, and
// removes them.
func (u *unwrittenIdentities) drain(atOnce int, write func([]owner) error) error {
	u.endRun()
	// heads is a heap.
	var heads []runHead
	from := 0
	for _, end := range u.runs {
		heads = append(heads, runHead{u.record(u.order[from]), u.order[from:end]})
		from = end
	}
	for i := len(heads)/2 - 1; i >= 0; i-- {
		siftDown(heads, i)
	}
	owners := make([]owner, 0, atOnce)
	for len(heads) > 0 {
		h := &heads[0]
		owners = append(owners, owner{identity{h.field, string(h.value)}, h.profile})
		if h.rest = h.rest[1:]; len(h.rest) > 0 {
			h.record = u.record(h.rest[0])
		} else {
			heads[0] = heads[len(heads)-1]
			heads = heads[:len(heads)-1]
		}
		siftDown(heads, 0)
		if len(owners) == atOnce || len(heads) == 0 {
			if err := write(owners); err != nil {
				return err
			}
			owners = owners[:0]
		}
	}
	clear(u.slots)
	u.records, u.order, u.runs = u.records[:0], u.order[:0], u.runs[:0]
	return nil
}

// siftDown moves the head at i to its place in the heap.
func siftDown(heads []runHead, i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(heads); child++ {
			if heads[child].compare(heads[least].record) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		heads[i], heads[least] = heads[least], heads[i]
		i = least
	}
}
