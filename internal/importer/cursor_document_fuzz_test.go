package importer

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A stored cursor of any content is read or refused; one that is read is written and read
// again as the same cursor.
func FuzzCursorDocument(f *testing.F) {
	for _, text := range []string{`{"version":1}`, `{"version":2}`, `{"version":2,"watermark":1700000000000000}`, `{}`, `null`, `[`, `{"version":99}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		c, err := decodeCursor("k", document)
		if err != nil {
			return
		}
		form, err := encodeCursor(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeCursor("k", form)
		c.Version = cursorVersion
		if diff := cmp.Diff(c, again); err != nil || diff != "" {
			t.Errorf("got the error %v and the difference\n%s", err, diff)
		}
	})
}
