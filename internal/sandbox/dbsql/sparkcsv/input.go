package sparkcsv

// detectLineSeparator takes the first line end in the text as the line separator,
// even within quotes.
func (t *tokenizer) detectLineSeparator() {
	head, _ := t.in.Peek(1 << 20)
	t.sep1, t.sep2 = '\n', 0
	for i, c := range head {
		if c == '\n' {
			return
		}
		if c == '\r' {
			t.sep1 = '\r'
			if i+1 < len(head) && head[i+1] == '\n' {
				t.sep2 = '\n'
			}
			return
		}
	}
}

// nextChar reads the next character; it returns false at the end of the text.
func (t *tokenizer) nextChar() bool {
	if t.in == nil {
		if len(t.line) == 0 {
			return false
		}
		t.ch, t.line = t.line[0], t.line[1:]
		return true
	}
	c, err := t.in.ReadByte()
	if err != nil {
		t.err = err
		return false
	}
	t.ch = c
	if c == t.sep1 {
		if t.sep2 == 0 {
			t.ch = newline
			return true
		}
		if p, err := t.in.Peek(1); err == nil && p[0] == t.sep2 {
			_, _ = t.in.ReadByte() // cannot fail after Peek
			t.ch = newline
		}
	}
	return true
}

// readBuffered reads an unquoted value if its end is in the buffer. Unlike
// appendUntil, it ends a line only at the detected separator: if that is \r\n, a
// lone \n belongs to the value.
func (t *tokenizer) readBuffered() bool {
	if t.in == nil {
		return false
	}
	for _, n := range []int{t.in.Buffered(), 1 << 20} {
		buf, _ := t.in.Peek(n)
		c, i := t.ch, 0
		for ; c != t.options.Sep && i < len(buf); i++ {
			if c == t.sep1 && (t.sep2 == 0 || buf[i] == t.sep2) {
				break
			}
			c = buf[i]
		}
		if c != t.options.Sep && c != t.sep1 || i == 0 || i == len(buf) && c != t.options.Sep {
			continue
		}
		if c == t.sep1 && t.sep2 != 0 && (i >= len(buf) || buf[i] != t.sep2) {
			continue
		}
		t.value = append(append(t.value, t.ch), buf[:i-1]...)
		_, _ = t.in.Discard(i - 1) // cannot fail after Peek
		return t.nextChar()
	}
	return false
}
