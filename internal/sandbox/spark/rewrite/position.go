package rewrite

import (
	"strings"
)

// Position converts a position in the rewritten statement to one in the original.
// Lines count from 1, positions from 0.
func (s *Statement) Position(line, pos int) (int, int) {
	offset := offsetOf(s.Text, line, pos)
	// shift is how much longer the rewritten text is before the position.
	shift := 0
	for _, e := range s.edits {
		start := e.start + shift
		if offset < start {
			break
		}
		if offset < start+len(e.text) {
			return lineAndPos(s.source, e.start)
		}
		shift += len(e.text) - (e.end - e.start)
	}
	return lineAndPos(s.source, offset-shift)
}

func offsetOf(text string, line, pos int) int {
	at := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
	}
	return min(at+pos, len(text))
}

func lineAndPos(text string, offset int) (line, pos int) {
	before := text[:max(0, min(offset, len(text)))]
	return 1 + strings.Count(before, "\n"), len(before) - strings.LastIndexByte(before, '\n') - 1
}
