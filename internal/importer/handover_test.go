package importer_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// Another executor continues at the watermark, and hands back at a time.
func TestAnImportIsHandedOverAndBack(t *testing.T) {
	t.Parallel()
	db, err := storetest.Open(t.Context(), store.Location{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	const key = "import|host|main|sales|customers|ts|s"
	put := func(c importer.Cursor) {
		t.Helper()
		c.Version = 2
		document, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(t.Context(), func(tx *store.Tx) error { return store.PutCursorDocument(t.Context(), tx, key, document) })
		if err != nil {
			t.Fatal(err)
		}
	}
	watermark := func() *time.Time {
		t.Helper()
		w, err := importer.Watermark(t.Context(), db, key)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	since := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	if w := watermark(); w != nil {
		t.Errorf("got %v for an import that never ran, want none", w)
	}
	if err := importer.RestartAfter(t.Context(), db, key, "", since); err != nil {
		t.Fatal(err)
	}
	if c, err := importer.ReadCursor(t.Context(), db, key); err != nil || c != nil {
		t.Errorf("got cursor %+v, %v; want none for an import that never ran", c, err)
	}
	finished, reached := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)
	micros, further := finished.UnixMicro(), reached.UnixMicro()
	c := importer.Cursor{Generation: 3, Watermark: &micros, Copies: []string{"`main`.`scratch`.`c`"}, Pages: 7, Sent: 5}
	put(c)
	if w := watermark(); w == nil || !w.Equal(finished) {
		t.Errorf("got %v, want the watermark %v", w, finished)
	}
	c.Pinned = &importer.PinnedSnapshot{Upper: further, Reached: &further}
	put(c)
	if w := watermark(); w == nil || !w.Equal(reached) {
		t.Errorf("got %v, want %v, up to which an unfinished run has sent", w, reached)
	}
	if err := importer.RestartAfter(t.Context(), db, key, "again", since); err != nil {
		t.Fatal(err)
	}
	from := since.UnixMicro() + 1
	want := &importer.Cursor{Version: 2, Generation: 4, FullRefresh: "again", From: &from, Copies: c.Copies, Pages: 7}
	got, err := importer.ReadCursor(t.Context(), db, key)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("the cursor (-want +got), %v:\n%s", err, diff)
	}
}
