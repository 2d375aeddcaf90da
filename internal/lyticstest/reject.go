package lyticstest

import "bytes"

// RejectEventsWith rejects every event that holds a text, in uploads and in dry runs,
// for a reason that the API does not give. An empty text ends that.
func (s *Server) RejectEventsWith(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.poison = []byte(text)
}

// isPoisoned tells whether an event holds the text of RejectEventsWith.
func (s *Server) isPoisoned(event []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.poison) > 0 && bytes.Contains(event, s.poison)
}
