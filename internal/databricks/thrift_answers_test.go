package databricks

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/http"
	"testing"

	"github.com/apache/arrow/go/v12/arrow"
	"github.com/apache/arrow/go/v12/arrow/array"
	"github.com/apache/arrow/go/v12/arrow/ipc"
	"github.com/apache/arrow/go/v12/arrow/memory"
)

// thriftWriter writes a Thrift message.
type thriftWriter struct{ bytes.Buffer }

func (w *thriftWriter) number(size int, v int64) {
	b := binary.BigEndian.AppendUint64(nil, uint64(v))
	w.Write(b[8-size:])
}

func (w *thriftWriter) text(v string) {
	w.number(4, int64(len(v)))
	w.WriteString(v)
}

func (w *thriftWriter) header(kind byte, method string) {
	w.Write([]byte{0x80, 0x01, 0, kind})
	w.text(method)
	w.number(4, 1)
}

func (w *thriftWriter) field(kind byte, id int64) {
	w.WriteByte(kind)
	w.number(2, id)
}

func (w *thriftWriter) i32(id, v int64) { w.field(thriftI32, id); w.number(4, v) }
func (w *thriftWriter) i64(id, v int64) { w.field(thriftI64, id); w.number(8, v) }
func (w *thriftWriter) boolean(id int64, v bool) {
	w.field(thriftBool, id)
	if v {
		w.WriteByte(1)
	} else {
		w.WriteByte(0)
	}
}
func (w *thriftWriter) string(id int64, v string) { w.field(thriftString, id); w.text(v) }

func (w *thriftWriter) structure(id int64, fields func()) {
	w.field(thriftStruct, id)
	fields()
	w.WriteByte(0)
}

func (w *thriftWriter) list(id int64, kind byte, n int, element func(i int)) {
	w.field(thriftList, id)
	w.WriteByte(kind)
	w.number(4, int64(n))
	for i := range n {
		element(i)
		if kind == thriftStruct {
			w.WriteByte(0)
		}
	}
}

// thriftReply returns an answer to a method whose status is a success. rest writes the other
// fields, if it is not nil.
func thriftReply(method string, rest func(w *thriftWriter)) []byte {
	w := &thriftWriter{}
	w.header(messageReply, method)
	w.structure(0, func() {
		w.status()
		if rest != nil {
			rest(w)
		}
	})
	w.WriteByte(0)
	return w.Bytes()
}

func (w *thriftWriter) status() { w.structure(1, func() { w.i32(1, 0) }) }

// handle writes the field with the handle of a session or statement.
func (w *thriftWriter) handle(id int64) {
	w.structure(id, func() {
		w.structure(1, func() {
			w.string(1, "0123456789abcdef")
			w.string(2, "0123456789abcdef")
		})
		if id == 2 {
			w.i32(2, 0)
			w.boolean(3, true)
		}
	})
}

// rows writes an empty set of rows.
func (w *thriftWriter) rows(start int64, rest func()) {
	w.structure(3, func() {
		w.i64(1, start)
		w.list(2, thriftStruct, 0, nil)
		if rest != nil {
			rest()
		}
	})
}

// emptyAnswer returns the smallest answer to a method.
func emptyAnswer(method string) []byte {
	return thriftReply(method, func(w *thriftWriter) {
		switch method {
		case "OpenSession":
			w.i32(2, 0xA508)
			w.handle(3)
		case "ExecuteStatement":
			w.handle(2)
		case "GetOperationStatus":
			w.i32(2, 2)
		case "FetchResults":
			w.rows(0, nil)
		}
	})
}

// answerEmpty answers a request with the smallest answer to its method.
func answerEmpty(t *testing.T, w http.ResponseWriter, r *http.Request) {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	_, _ = w.Write(emptyAnswer(requestMethod(body)))
}

// arrowSchema is the schema of arrowStream.
var arrowSchema = arrow.NewSchema([]arrow.Field{
	{Name: "n", Type: arrow.PrimitiveTypes.Int64}, {Name: "text", Type: arrow.BinaryTypes.String},
}, nil)

// arrowStream returns a stream of a schema and one batch, with the rows (0, "row"), (1,
// "row") and so on.
func arrowStream(tb testing.TB, rows int, options ...ipc.Option) []byte {
	tb.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrowSchema)
	defer b.Release()
	for i := range rows {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.StringBuilder).Append("row")
	}
	record := b.NewRecord()
	defer record.Release()
	var out bytes.Buffer
	w := ipc.NewWriter(&out, append(options, ipc.WithSchema(arrowSchema))...)
	if err := w.Write(record); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}
