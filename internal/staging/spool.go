package staging

import (
	"fmt"
	"io"
	"os"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// spool keeps the content of a file until it is stored, so that a failed upload can be
// repeated: the first partSize bytes in memory, the rest in a temporary file. The Files API
// stores a file by one request, which has to be repeated whole.
type spool struct {
	parts freeParts
	head  *part
	// rest is nil while head is not full. removed means that it has no name any more.
	rest    *os.File
	removed bool
	size    int64
}

func newSpool(parts freeParts) *spool {
	s := &spool{parts: parts, head: parts.get()}
	s.head.n = 0
	return s
}

// Write implements io.Writer.
func (s *spool) Write(p []byte) (int, error) {
	n := copy(s.head.buffer[s.head.n:], p)
	s.head.n += n
	s.size += int64(n)
	if n == len(p) {
		return n, nil
	}
	if err := s.begin(); err != nil {
		return n, spoolError(err)
	}
	m, err := s.rest.Write(p[n:])
	s.size += int64(m)
	if err != nil {
		err = spoolError(err)
	}
	return n + m, err
}

// begin creates the temporary file, which only this user can read. Unix removes its name at
// once, so that a killed process leaves nothing; Windows removes it in close.
func (s *spool) begin() (err error) {
	if s.rest != nil {
		return nil
	}
	if s.rest, err = os.CreateTemp("", "lytics-upload-*"); err == nil {
		s.removed = os.Remove(s.rest.Name()) == nil
	}
	return err
}

// ReadAt implements io.ReaderAt.
func (s *spool) ReadAt(p []byte, offset int64) (n int, err error) {
	if offset < int64(s.head.n) {
		n = copy(p, s.head.buffer[offset:s.head.n])
	}
	switch {
	case n == len(p):
		return n, nil
	case s.rest == nil:
		return n, io.EOF
	}
	m, err := s.rest.ReadAt(p[n:], offset+int64(n)-int64(s.head.n))
	return n + m, err
}

// close removes the content.
func (s *spool) close() {
	s.parts.put(s.head)
	if s.rest == nil {
		return
	}
	_ = s.rest.Close()
	if !s.removed {
		_ = os.Remove(s.rest.Name())
	}
}

func spoolError(err error) error {
	return &jobs.Error{
		Code: jobs.CodeFailed, Summary: "A staged file could not be kept until its upload",
		Detail: fmt.Sprintf("The part of it above %d MiB is kept in the directory of temporary files, %s: %v.", partSize>>20, os.TempDir(), err),
		Next:   "Free space there, or name another directory in TMPDIR (TMP on Windows) for the process that executes the run", Err: err,
	}
}
