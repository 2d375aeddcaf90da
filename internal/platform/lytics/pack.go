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

// UploadFormat is how the events of an upload are written.
type UploadFormat string

// The public description of the upload shows single JSON objects, and compressed
// CSV files without the header Content-Encoding. So the default is one object a
// line, uncompressed. Arrays and compressed uploads save traffic where an account
// is known to accept them.
const (
	FormatJSONLines     UploadFormat = "json_lines"
	FormatJSONLinesGzip UploadFormat = "json_lines_gzip"
	FormatJSONArrayGzip UploadFormat = "json_array_gzip"
)

// UploadFormats lists the formats, the default first.
var UploadFormats = []UploadFormat{FormatJSONLines, FormatJSONLinesGzip, FormatJSONArrayGzip}

// framing is what is written around the events of an upload.
type framing struct {
	begin, between, end string
	gzip                bool
}

func (f UploadFormat) framing() framing {
	switch f {
	case FormatJSONLinesGzip:
		return framing{between: "\n", end: "\n", gzip: true}
	case FormatJSONArrayGzip:
		return framing{begin: "[", between: ",", end: "]", gzip: true}
	}
	return framing{between: "\n", end: "\n"}
}

// upload is the events from first up to, and without, last, in one request.
type upload struct {
	first, last int
	body        []byte
}

// packer writes uploads. Its compressor takes a megabyte of memory and is reused.
type packer struct {
	framing framing
	gzip    *gzip.Writer
	// text is what the writer was not given yet.
	text []byte
}

// textChunk is how much is given to the writer at a time.
const textChunk = 64 << 10

// The fastest level: most of what is sent is repeated names of columns, which it
// finds too.
var packers = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // gzip.BestSpeed is a valid level
	}
	return &packer{gzip: w, text: make([]byte, 0, textChunk+maxEvent)}
}}

// pack writes the uploads of all events. An event that cannot be sent is found
// before the first one is sent.
func pack(stream string, events []jobs.Event, format UploadFormat) ([]upload, error) {
	p, _ := packers.Get().(*packer)
	defer packers.Put(p)
	p.framing = format.framing()
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
	var w io.Writer = &out
	if p.framing.gzip {
		p.gzip.Reset(&out)
		w = p.gzip
	}
	p.text = p.text[:0]
	u.first, u.last = first, first
	separator := p.framing.begin
	for size := 0; u.last < len(events) && size+maxEvent+2 <= maxUpload; u.last++ {
		before := len(p.text)
		if p.text, err = encodeEvent(append(p.text, separator...), events[u.last]); err != nil {
			return u, refusedEvent(stream, events[u.last], err)
		}
		separator = p.framing.between
		size += len(p.text) - before
		if len(p.text) >= textChunk {
			if _, err := w.Write(p.text); err != nil {
				return u, err
			}
			p.text = p.text[:0]
		}
	}
	if _, err := w.Write(append(p.text, p.framing.end...)); err != nil {
		return u, err
	}
	if p.framing.gzip {
		err = p.gzip.Close()
	}
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
