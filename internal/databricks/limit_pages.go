package databricks

import "encoding/binary"

// pageBytes is the size in bytes of the pages and files that are requested. The driver limits
// their rows only, and the size of a row has no limit.
const pageBytes = 20 << 20

// limitPages adds the size of a page, and of a file, to a request for rows, and with lz4 to
// a statement that its result may be compressed. The driver leaves these fields of the
// protocol out. A request of another form stays as it is.
func limitPages(method string, body []byte, bytes int64, lz4 bool) []byte {
	var insertions []insertion
	c := &thriftReader{b: body, size: len(body)}
	c.number(4) // version and kind
	c.bytes()
	c.number(4) // the sequence number
	// inside calls read for the fields of a struct, and adds fields at its end.
	inside := func(read func(id int64, kind byte), fields ...addedField) {
		c.fields(read)
		insertions = append(insertions, insertion{at: c.size - len(c.b) - 1, fields: fields})
	}
	c.fields(func(id int64, kind byte) {
		switch {
		case id != 1 || kind != thriftStruct:
			c.skip(kind)
		case method == "FetchResults":
			inside(func(_ int64, kind byte) { c.skip(kind) }, addedField{0x501, bytes})
		case method == "ExecuteStatement":
			fields := []addedField{{0x505, bytes}}
			if lz4 {
				fields = append(fields, addedField{canDecompressLZ4, 1})
			}
			inside(func(id int64, kind byte) {
				if id != 0x501 || kind != thriftStruct { // getDirectResults
					c.skip(kind)
					return
				}
				inside(func(_ int64, kind byte) { c.skip(kind) }, addedField{2, bytes})
			}, fields...)
		default:
			c.skip(kind)
		}
	})
	if c.err != nil || len(insertions) == 0 {
		return body
	}
	var out []byte
	from := 0
	for _, i := range insertions {
		out = append(out, body[from:i.at]...)
		for _, f := range i.fields {
			if f.id == canDecompressLZ4 {
				out = append(binary.BigEndian.AppendUint16(append(out, thriftBool), f.id), 1)
				continue
			}
			out = append(out, thriftI64)
			out = binary.BigEndian.AppendUint16(out, f.id)
			out = binary.BigEndian.AppendUint64(out, uint64(f.value)) // #nosec G115 -- a positive constant
		}
		from = i.at
	}
	return append(out, body[from:]...)
}

// insertion is fields that are added to a struct, at the position of its end.
type insertion struct {
	at     int
	fields []addedField
}

// canDecompressLZ4 is the field of a statement that offers to read LZ4, the only added one
// that is no number.
const canDecompressLZ4 = 0x504

type addedField struct {
	id    uint16
	value int64
}
