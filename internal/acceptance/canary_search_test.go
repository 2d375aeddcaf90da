package acceptance

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// evidence is what a search for canaries reads: the texts of each place, by name.
type evidence struct {
	mu     sync.Mutex
	places map[string]map[string][]byte
}

func (e *evidence) add(place, name string, text []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.places == nil {
		e.places = map[string]map[string][]byte{}
	}
	if e.places[place] == nil {
		e.places[place] = map[string][]byte{}
	}
	e.places[place][name] = append(e.places[place][name], text...)
}

// addFiles adds the files of a directory that a pattern matches.
func (e *evidence) addFiles(t *testing.T, place, dir, pattern string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if match, err := filepath.Match(pattern, d.Name()); err != nil || !match {
			return err
		}
		text, err := os.ReadFile(path)
		e.add(place, path, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// addZip adds the files in an archive, such as a saved plan.
func (e *evidence) addZip(t *testing.T, place, file string) {
	t.Helper()
	archive, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	for _, f := range archive.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		_ = in.Close()
		e.add(place, f.Name, text)
	}
}

// watchArguments adds the arguments of all processes, until the test's end or stop.
func (e *evidence) watchArguments(t *testing.T) (stop func()) {
	t.Helper()
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		seen := map[string]bool{}
		for {
			files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, file := range files {
				// A process may end before its file is read.
				text, err := os.ReadFile(file)
				if err == nil && !seen[string(text)] && !bytes.Contains(text, []byte("sandbox")) {
					seen[string(text)] = true
					e.add("process arguments", "arguments", append(bytes.ReplaceAll(text, []byte{0}, []byte(" ")), '\n'))
				}
			}
			select {
			case <-ended:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return sync.OnceFunc(func() { close(ended); <-done })
}

// holds returns the forms in which a text holds a secret.
func holds(text []byte, secret string) (found []string) {
	forms := canaryForms(secret)
	for _, name := range slices.Sorted(maps.Keys(forms)) {
		if bytes.Contains(text, []byte(forms[name])) {
			found = append(found, name)
		}
	}
	return found
}

// canaryForms are the forms of a secret that are searched for. They are written here
// anew, so that a mistake in package redact is not repeated.
func canaryForms(secret string) map[string]string {
	quoted, _ := json.Marshal(secret)
	forms := map[string]string{
		"raw": secret, "json": strings.Trim(string(quoted), `"`), "query": url.QueryEscape(secret), "path": url.PathEscape(secret),
		"hex": hex.EncodeToString([]byte(secret)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	for i, before := range []string{"", "x", "xx"} {
		// Whole groups of three bytes behind the first, and before the last one.
		group := []byte(before + secret)
		from, to := 4, len(group)/3*4
		if i == 0 {
			from = 0
		}
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.StdEncoding, "base64url": base64.URLEncoding} {
			forms[name+" at "+string(rune('0'+i))] = encoding.EncodeToString(group)[from:to]
		}
	}
	return forms
}

// wantNoCanary searches every place for every canary. control is a text that the
// search has to find in the place, since a search that finds nothing proves nothing.
func (e *evidence) wantNoCanary(t *testing.T, canaries, controls map[string]string) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	for place := range e.places {
		if controls[place] == "" {
			t.Errorf("%s has no control", place)
		}
	}
	for place, control := range controls {
		size, proven := 0, false
		for name, text := range e.places[place] {
			size += len(text)
			proven = proven || len(holds(text, control)) > 0
			for canary, secret := range canaries {
				if forms := holds(text, secret); len(forms) > 0 {
					t.Errorf("%s: %s holds the %s as %v: %s", place, name, canary, forms, around(text, canaryForms(secret)[forms[0]]))
				}
			}
		}
		t.Logf("%-18s %d texts, %d bytes", place, len(e.places[place]), size)
		if !proven {
			t.Errorf("%s: the search does not find the control %q in %d texts", place, control, len(e.places[place]))
		}
	}
}

// around is a text around a secret, without it.
func around(text []byte, form string) string {
	at := bytes.Index(text, []byte(form))
	from, to := max(0, at-100), min(len(text), at+len(form)+40)
	return strings.ReplaceAll(strings.ToValidUTF8(string(text[from:to]), "?"), form, "<CANARY>")
}

// The search finds a planted canary in each form and at each alignment, in a file and
// in an archive.
func TestTheSearchFindsPlantedCanaries(t *testing.T) {
	t.Parallel()
	const secret = `canary/planted+7f3a "quoted"`
	for name, text := range map[string]string{
		"raw": "x" + secret, "json": string(mustJSON(t, "a "+secret)), "query": "?a=" + url.QueryEscape(secret),
		"hex":    hex.EncodeToString([]byte(secret)),
		"Basic":  base64.StdEncoding.EncodeToString([]byte("user:" + secret)),
		"Basic1": base64.StdEncoding.EncodeToString([]byte("a:" + secret + "x")),
		"Basic2": base64.RawURLEncoding.EncodeToString([]byte("abc:" + secret + "xx")),
	} {
		if len(holds([]byte("before "+text+" after"), secret)) == 0 {
			t.Errorf("the canary is not found as %s in %s", name, text)
		}
	}
	if found := holds([]byte("nothing of canary/planted is here"), secret); len(found) > 0 {
		t.Errorf("found %v where nothing is", found)
	}
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	file, err := archive.Create("tfplan")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(file, strings.Repeat("plan ", 1000)+secret); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plan.bin")
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var e evidence
	e.addZip(t, "plan", path)
	if len(holds(e.places["plan"]["tfplan"], secret)) == 0 {
		t.Error("the canary is not found in an archive")
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
