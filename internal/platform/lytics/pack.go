package lytics

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// maxUpload is how much goes into one upload before compression. Lytics's API
// host takes 10 MB; its bulk host takes more, but what is sent again after a cut
// is a whole upload.
const maxUpload = 8 << 20

// upload is a part of a batch that is sent at once: the events from first to
// last, which is not part of it, as a compressed JSON array.
type upload struct {
	first, last int
	body        []byte
}

// packer compresses uploads. What it allocates is a megabyte, and used again.
type packer struct {
	gzip *gzip.Writer
	// text is what the writer was not given yet.
	text []byte
}

// textChunk is how much is given to the compressor at a time.
const textChunk = 64 << 10

// The fastest level: most of what is sent is repeated names of columns, which it
// finds too.
var packers = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // no such level: a mistake in this program
	}
	return &packer{gzip: w, text: make([]byte, 0, textChunk+maxEvent)}
}}

// pack makes uploads of all events, and so checks them all, before any of them
// is sent.
func pack(stream string, events []jobs.Event) ([]upload, error) {
	p, _ := packers.Get().(*packer)
	defer packers.Put(p)
	var uploads []upload
	for first := 0; first < len(events); {
		u, err := p.upload(stream, events, first)
		if err != nil {
			return nil, err
		}
		uploads, first = append(uploads, u), u.last
	}
	return uploads, nil
}

// upload packs events from first on, as many as fit.
func (p *packer) upload(stream string, events []jobs.Event, first int) (u upload, err error) {
	var out bytes.Buffer
	p.gzip.Reset(&out)
	p.text = p.text[:0]
	u.first, u.last = first, first
	for size := 0; u.last < len(events) && size+maxEvent+2 <= maxUpload; u.last++ {
		separator := byte(',')
		if u.last == first {
			separator = '['
		}
		before := len(p.text)
		if p.text, err = encodeEvent(append(p.text, separator), events[u.last]); err != nil {
			return u, refusedEvent(stream, events[u.last], err)
		}
		size += len(p.text) - before
		if len(p.text) >= textChunk {
			if _, err := p.gzip.Write(p.text); err != nil {
				return u, err
			}
			p.text = p.text[:0]
		}
	}
	if _, err := p.gzip.Write(append(p.text, ']')); err != nil {
		return u, err
	}
	err = p.gzip.Close()
	u.body = out.Bytes()
	return u, err
}

func refusedEvent(stream string, e jobs.Event, err error) error {
	return &jobs.Error{
		Code:    jobs.CodeFailed,
		Summary: fmt.Sprintf("Event %q cannot be appended to stream %s", e.ID, stream),
		Detail:  err.Error(),
		Next:    "Correct the source of the event; nothing of its batch was appended",
		Err:     err,
	}
}
