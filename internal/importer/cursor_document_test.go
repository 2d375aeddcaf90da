package importer

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// version2Document is a document with every key that a release before the one
// that named the fields as they are now has written.
const version2Document = `{"version":2,"generation":3,"full_refresh":"new mapping","columns":["id","ts"],"digest":"8f14e45f","from":5,` +
	`"watermark":70,"ahead":90,"known":60,` +
	`"last":{"table_version":11,"columns":[{"name":"id","type":"BIGINT"}],"plan":"c4ca4238","nulls":true,"rows_null":2,"rows_future":1},` +
	`"pinned":{"table_version":12,"copy":"` + "`c`.`s`.`lytics_copy_1`" + `","upper":99,` +
	`"columns":[{"name":"ts","type":"TIMESTAMP"}],"plan":"eccbc87e",` +
	`"compared":true,"position":{"micros":80,"rows":4,"digest":"1679091c","same":2},"reached":80},` +
	`"copies":["` + "`c`.`s`.`lytics_copy_1`" + `"],"sent":123,"pages":7}`

// checklist 9: the documents in existing stores.
func TestDocumentsOfEarlierReleasesAreRead(t *testing.T) {
	t.Parallel()
	number := func(n int64) *int64 { return &n }
	want := Cursor{
		Version: 2, Generation: 3, FullRefresh: "new mapping", From: number(5),
		DigestColumns: []string{"id", "ts"}, DigestSignature: "8f14e45f",
		Watermark: number(70), FutureSentThrough: number(90), RememberedFrom: number(60),
		LastCompared: &ComparedSnapshot{TableVersion: number(11), Columns: []SourceColumn{{"id", "BIGINT"}}, DefinitionHash: "c4ca4238",
			NullsSent: true, RowsNull: 2, RowsFuture: 1},
		Pinned: &PinnedSnapshot{TableVersion: number(12), Copy: "`c`.`s`.`lytics_copy_1`", Upper: 99,
			Columns: []SourceColumn{{"ts", "TIMESTAMP"}}, DefinitionHash: "eccbc87e", WindowCompared: true,
			Position: &Position{Micros: 80, Rows: 4, Digest: "1679091c", Same: 2}, Reached: number(80)},
		Copies: []string{"`c`.`s`.`lytics_copy_1`"}, Sent: 123, Pages: 7,
	}
	got, err := decodeCursor("k", []byte(version2Document))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the cursor that was read differs (-want +got):\n%s", diff)
	}
	// Written again, it is what an earlier release reads.
	again, err := encodeCursor(got)
	if err != nil || string(again) != version2Document {
		t.Errorf("got the document\n%s, %v, want\n%s", again, err, version2Document)
	}
}

// putVersion1 stores a document of version 1 in mid-run, with rows sent at its
// watermark.
func putVersion1(t *testing.T, db *store.DB, key string, watermark int64, digests ...string) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO cursors (key, state, updated_at) VALUES (?, ?, 0)`, key,
			fmt.Sprintf(`{"version":1,"generation":3,"columns":["ts","k","text"],"watermark":%d,`+
				`"pinned":{"table_version":12,"upper":99},"sent":5}`, watermark))
		for n, digest := range digests {
			if err == nil {
				_, err = tx.ExecContext(t.Context(), `INSERT INTO cursor_ties (key, digest, sent) VALUES (?, ?, ?)`, key, digest, n+1)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checklist 9: a run upgrades the document of the first release, with the rows
// beside it; reading alone changes nothing.
func TestADocumentOfVersion1IsUpgraded(t *testing.T) {
	t.Parallel()
	db, err := storetest.Open(t.Context(), store.Location{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	putVersion1(t, db, "k", 77, strings.Repeat("a", 64), strings.Repeat("b", 64))
	putVersion1(t, db, "other", 77, strings.Repeat("c", 64))
	mark := int64(77)
	want := &Cursor{Version: 2, Generation: 3, DigestColumns: []string{"ts", "k", "text"},
		From: &mark, Watermark: &mark, RememberedFrom: &mark, Sent: 5, Pages: 1}
	i := &Import{Key: "k", Cursors: db, Fence: func(*store.Tx) error { return nil }}
	for _, step := range []string{"read", "upgraded", "upgraded again"} {
		if step != "read" {
			if _, err := i.loadCursor(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		got, err := ReadCursor(t.Context(), db, "k")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the cursor differs (-want +got):\n%s", step, diff)
		}
		document, err := db.CursorDocument(t.Context(), "k")
		if version1 := strings.Contains(string(document), `"version":1`); err != nil || version1 != (step == "read") {
			t.Errorf("%s: got the document %s, %v", step, document, err)
		}
	}
	pages, err := db.SentPages(t.Context(), "k", 77, 77)
	if err != nil || len(pages) != 1 {
		t.Fatalf("got the pages %v, %v, want one", pages, err)
	}
	rows, err := db.SentRows(t.Context(), "k", pages[0])
	if err != nil || len(rows) != 2 || rows[0].Times != 1 || rows[1].Times != 2 || rows[0].Digest[0] != 0xaa || rows[1].Micros != 77 {
		t.Errorf("got the rows %v, %v, want one of digest aa and two of digest bb, at 77", rows, err)
	}
	for key, want := range map[string]int{"k": 0, "other": 1} {
		if ties, err := db.WatermarkTies(t.Context(), key, 77); err != nil || len(ties) != want {
			t.Errorf("got %d rows beside the cursor %q, %v, want %d", len(ties), key, err, want)
		}
	}
}

// oneDocument is a store that holds one document.
type oneDocument struct {
	CursorStore
	document string
}

func (o oneDocument) CursorDocument(context.Context, string) ([]byte, error) {
	return []byte(o.document), nil
}

// checklist 9: a document that a later release wrote is refused, and so is one
// that is damaged.
func TestADocumentOfAnUnknownVersionIsRefused(t *testing.T) {
	t.Parallel()
	for _, document := range []string{`{"version":99}`, `{"version":0}`, `{}`, `{"version":2`, `["job"]`} {
		if c, err := ReadCursor(t.Context(), oneDocument{document: document}, "k"); !jobs.IsCode(err, jobs.CodeStore) {
			t.Errorf("got %+v, %v for the document %s, want an error of the store", c, err, document)
		}
	}
}
