package lytics

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// An upload ends at the first change of the events' time after usualUpload bytes, before
// compression, or at maxUpload bytes: events of one time, whose order only their arrival
// tells, stay together. A batch of the importer has about three uploads of the usual size,
// all on their way at once: with smaller ones, the first maxUploads end together, and
// the link is idle until they are answered. Lytics' API host accepts 10 MB. Its bulk host
// accepts more, but after a lost connection the whole upload is sent again.
const (
	usualUpload = 4 << 20
	maxUpload   = 8 << 20
)

// UploadFormat is the format of the events of an upload.
type UploadFormat string

// The public description of uploads shows single JSON objects, and compressed CSV
// files without the header Content-Encoding. So the default is one object per
// line, uncompressed. Arrays and compressed uploads save traffic if the account
// accepts them.
const (
	FormatJSONLines     UploadFormat = "json_lines"
	FormatJSONLinesGzip UploadFormat = "json_lines_gzip"
	FormatJSONArrayGzip UploadFormat = "json_array_gzip"
)

// UploadFormats lists the formats; the first one is the default.
var UploadFormats = []UploadFormat{FormatJSONLines, FormatJSONLinesGzip, FormatJSONArrayGzip}

// framing is the text around the events of an upload.
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

// upload is one request with the events from first to last, without last.
type upload struct {
	first, last int
	body        []byte
}

// packer writes uploads. It is reused, because its compressor takes a megabyte of
// memory.
type packer struct {
	framing framing
	gzip    *gzip.Writer
	// text was not written to the compressor or the body yet.
	text []byte
}

// textChunk is the size in bytes of one write. maxText is the largest capacity of
// packer.text that is kept for reuse.
const (
	textChunk = 64 << 10
	maxText   = 1 << 20
)

// Most of an upload is repeated names of columns. The fastest level compresses
// them almost as well as the others.
var packers = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // gzip.BestSpeed is a valid level
	}
	return &packer{gzip: w, text: make([]byte, 0, textChunk+maxEvent)}
}}

// packed is a batch of events, ready to be sent.
type packed struct {
	// events are the ones that are sent, in order.
	events  []jobs.Event
	uploads []upload
	// refused are the events that are not sent, because Lytics would reject them.
	refused []jobs.RejectedEvent

	// batch is all events; those before next are in events or in refused.
	batch []jobs.Event
	next  int
}

// pack encodes a batch before its first upload is sent.
func pack(stream string, events []jobs.Event, format UploadFormat) (packed, error) {
	p, _ := packers.Get().(*packer)
	defer packers.Put(p)
	p.framing = format.framing()
	out := packed{batch: events}
	for out.next < len(events) {
		u, err := p.upload(stream, &out)
		if err != nil {
			return packed{}, err
		}
		if u.last > u.first {
			out.uploads = append(out.uploads, u)
		}
	}
	return out, nil
}

// body encodes events that were sent before, as one upload.
func body(stream string, events []jobs.Event, format UploadFormat) ([]byte, error) {
	out, err := pack(stream, events, format)
	if err != nil {
		return nil, err
	}
	if len(out.uploads) != 1 || len(out.refused) > 0 {
		return nil, errors.New("the events do not fit into one upload any more")
	}
	return out.uploads[0].body, nil
}

// upload encodes the next events of a batch, as many as fit into one upload.
func (p *packer) upload(stream string, out *packed) (u upload, err error) {
	var buffer bytes.Buffer
	var w io.Writer = &buffer
	if p.framing.gzip {
		p.gzip.Reset(&buffer)
		w = p.gzip
	}
	if cap(p.text) > maxText {
		p.text = make([]byte, 0, textChunk+maxEvent)
	}
	p.text = p.text[:0]
	u.first = len(out.events)
	separator := p.framing.begin
	for size := 0; out.next < len(out.batch) && !out.isFull(size); {
		before := len(p.text)
		text, refusal, err := encodeEvent(append(p.text, separator...), out.batch[out.next])
		if err != nil {
			return u, unsendable(stream, out.batch[out.next], err)
		}
		if refusal != "" {
			p.text = text[:before]
			out.refuse(refusal)
			continue
		}
		p.text = text
		out.keep()
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
	u.last, u.body = len(out.events), buffer.Bytes()
	return u, err
}

// isFull reports whether an upload of size bytes ends before the next event.
func (b *packed) isFull(size int) bool {
	if size < usualUpload {
		return false
	}
	return size+maxEvent+2 > maxUpload || !b.batch[b.next].Time.Equal(b.events[len(b.events)-1].Time)
}

// keep adds the next event to those that are sent. Until one is refused, these
// share the memory of the batch.
func (b *packed) keep() {
	b.next++
	if len(b.refused) == 0 {
		b.events = b.batch[:b.next:b.next]
		return
	}
	b.events = append(b.events, b.batch[b.next-1])
}

// refuse adds the next event to those that are not sent.
func (b *packed) refuse(reason string) {
	e := b.batch[b.next]
	b.next++
	b.refused = append(b.refused, jobs.RejectedEvent{Event: e, Reason: reason, Bytes: int64(len(e.Data))})
}

func unsendable(stream string, e jobs.Event, err error) error {
	return &jobs.Error{
		Code:    jobs.CodeFailed,
		Summary: fmt.Sprintf("Event %q cannot be appended to stream %s", e.ID, stream),
		Detail:  err.Error(),
		Next:    "Correct the source of the event; no event of its batch was appended",
		Err:     err,
	}
}
