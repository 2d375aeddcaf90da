package embedded_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Events in a bucket are compressed, and take a fifth of their lines at most.
func TestObjectsAreCompressed(t *testing.T) {
	t.Parallel()
	f := newFleetTest(t)
	b := f.open()
	events := customerEvents(0, 5000)
	b.mustAppend(f, "s", events)
	stored := 0
	for _, content := range f.bucket.Objects(t) {
		stored += len(content)
	}
	info, err := b.StreamInfo(t.Context(), "s")
	check(f, err)
	if text := f.uncommittedBytes(b); text != "" || stored == 0 || int64(stored) > info.Bytes/5 {
		t.Errorf("%d bytes are stored of %d bytes of lines, want a fifth at most", stored, info.Bytes)
	}
	i := 0
	for e, err := range b.Events(t.Context(), "s") {
		check(f, err)
		if e.ID != events[i].ID || !e.Time.Equal(events[i].Time) || string(e.Data) != string(events[i].Data) {
			t.Fatalf("event %d is %+v, want %+v", i, e, events[i])
		}
		i++
	}
	if i != len(events) {
		t.Errorf("got %d events, want %d", i, len(events))
	}
}

// A release before wrote events as they are; they are read, with compressed ones after them,
// and erased.
func TestObjectsThatAreNotCompressedAreRead(t *testing.T) {
	t.Parallel()
	f := newFleetTest(t)
	b := f.open()
	importPeople(b, f)
	before := b.stored(f, "shop")
	check(f, b.db.WriteCommitted(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE extents SET length = text_length, text_length = NULL`)
		return err
	}))
	for key, content := range f.segments() {
		f.bucket.Put(t, key, content)
	}
	if got := b.stored(f, "shop"); !slices.Equal(got, before) {
		t.Errorf("got %v, want %v", got, before)
	}
	b.mustAppend(f, "shop", secondsApart(`{"email":"late@x.io"}`))
	b.mustErase(f, "email", "ann@x.io", false)
	if left := f.filesWith(b, "ann@x.io", "555-ann"); left != nil {
		t.Errorf("still there: %v", left)
	}
	if got := b.stored(f, "shop"); len(got) == 0 || !strings.Contains(got[len(got)-1], "late@x.io") {
		t.Errorf("got %v, want the event last that was appended last", got)
	}
}

// checklist 42: damage to compressed bytes is detected and reported.
func TestDamagedFramesAreFound(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(content []byte) []byte{
		"short":   func(content []byte) []byte { return content[:len(content)*2/3] },
		"no more": func(content []byte) []byte { return content[:2] },
		"changed": func(content []byte) []byte { content[len(content)/2] ^= 4; return content },
		"garbage": func(content []byte) []byte { return bytes.Repeat([]byte("x"), len(content)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleetTest(t)
			b := f.open()
			b.mustAppend(f, "s", customerEvents(0, 100))
			for key, content := range f.bucket.Objects(t) {
				f.bucket.Put(t, key, damage(content))
			}
			var last error
			for _, err := range b.Events(t.Context(), "s") {
				last = err
			}
			if !jobs.IsCode(last, jobs.CodeStore) || !strings.Contains(last.Error(), "is damaged") {
				t.Errorf("got %v, want an error that says that the stream is damaged", last)
			}
			if err := linesError(t.Context(), b, "s"); !reflect.DeepEqual(err, last) {
				t.Errorf("reading the lines: got %v, want %v", err, last)
			}
		})
	}
}
