package redact

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func TestASecretIsKnownWhileItIsHeld(t *testing.T) {
	t.Parallel()
	s := &set{index: index{}, entries: map[string]entry{}}
	held := s.remember("canary-held-0")
	if again := s.remember("canary-held-0"); again != held {
		t.Error("equal texts are two secrets")
	}
	for i := range 20 * recently {
		s.remember(fmt.Sprintf("%d-dropped-canary", i))
	}
	// A cleanup runs some time after a collection.
	for s.size() > recently+1 {
		runtime.GC()
		runtime.Gosched()
	}
	text := s.index.replace("canary-held-0 0-dropped-canary " + fmt.Sprintf("%d-dropped-canary", 20*recently-1))
	if text != "[redacted] 0-dropped-canary [redacted]" {
		t.Errorf("got %q, want the held and the last secret hidden, and the first forgotten", text)
	}
	runtime.KeepAlive(held)
	if size := len(s.index); size > 50*recently {
		t.Errorf("the index has %d keys", size)
	}
}

func (s *set) size() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.entries)
}

func TestAnOpenedSecretIsInNoText(t *testing.T) {
	t.Parallel()
	secret := Remember("canary-opened-1")
	if got := Text("refused canary-opened-1"); got != "refused [redacted]" {
		t.Errorf("got %q", got)
	}
	if Remember("") != nil {
		t.Error("the empty text is a secret")
	}
	runtime.KeepAlive(secret)
}

func BenchmarkText(b *testing.B) {
	x := index{}
	for i := range 500 {
		x.add(uint64(i), formsOf(fmt.Sprintf("dapi%032x", i*7919)))
	}
	line := strings.Repeat("The warehouse no longer knows the session: it was restarted. ", 5)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		x.replace(line)
	}
}
