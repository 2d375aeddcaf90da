package redact

import (
	"runtime"
	"slices"
	"sync"
	"weak"
)

// Secret is a secret that this process has opened. Equal texts are one Secret, so
// that pointers compare as their texts do.
type Secret struct{ text string }

// Reveal returns the text, to be sent or encrypted.
func (s *Secret) Reveal() string { return s.text }

// recently is how many of the last opened secrets stay known when nothing holds
// them any longer.
const recently = 128

// known are the secrets of this process.
var known = set{index: index{}, entries: map[string]entry{}}

type set struct {
	mu      sync.RWMutex
	index   index
	entries map[string]entry
	opened  uint64
	recent  [recently]*Secret
}

// entry is a secret that some value holds, or held until a moment ago.
type entry struct {
	secret weak.Pointer[Secret]
	owner  uint64
	forms  []form
}

// Remember makes a secret known, for as long as its result is held. The empty text
// gives nil.
func Remember(text string) *Secret {
	if text == "" {
		return nil
	}
	return known.remember(text)
}

// Text returns the text without secrets and without what has the shape of a
// credential.
func Text(text string) string {
	// The shapes come first: what they begin with may be a part of a secret.
	text = replaceShapes(text)
	known.mu.RLock()
	defer known.mu.RUnlock()
	return known.index.replace(text)
}

func (s *set) remember(text string) *Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, found := s.entries[text]
	if found {
		if secret := old.secret.Value(); secret != nil {
			if !slices.Contains(s.recent[:], secret) {
				s.opened++
				s.recent[s.opened%recently] = secret
			}
			return secret
		}
		s.index.remove(old.owner, old.forms) // its cleanup has not run yet
	}
	s.opened++
	secret := &Secret{text: text}
	e := entry{secret: weak.Make(secret), owner: s.opened, forms: formsOf(text)}
	s.entries[text] = e
	s.index.add(e.owner, e.forms)
	s.recent[s.opened%recently] = secret
	runtime.AddCleanup(secret, func(owner uint64) { s.forget(text, owner) }, e.owner)
	return secret
}

// forget removes a secret that nothing holds, unless it was opened again.
func (s *set) forget(text string, owner uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[text]; e.owner == owner {
		s.index.remove(owner, e.forms)
		delete(s.entries, text)
	}
}
