package databricks

// checkMessage checks the structure of the answer to a method, from its first byte.
func checkMessage(method string, body []byte) error {
	r := &thriftReader{b: body, size: len(body)}
	kind := r.checkHeader(method)
	if kind == messageException {
		r.checkStruct(&shape{"TApplicationException", []shapeField{
			scalar(1, "message", thriftString), scalar(2, "type", thriftI32),
		}})
		return r.err
	}
	r.checkStruct(&shape{method + "_result", []shapeField{structOf(0, "success", replyShape(method)).must()}})
	return r.err
}

// checkHeader reads the beginning of a message, and returns its kind.
func (r *thriftReader) checkHeader(method string) (kind byte) {
	version, kind := r.number(3), r.u8()
	name := r.bytes()
	r.number(4)                // the sequence number, which the driver compares
	const version1 = -0x7FFF00 // 0x800100
	switch {
	case r.err != nil:
	case version != version1 || kind != messageReply && kind != messageException:
		r.fail("it does not begin like a Thrift message")
	case string(name) != method:
		r.fail("it answers the method %.40q", name)
	}
	return kind
}

// checkStruct checks a struct against its shape.
func (r *thriftReader) checkStruct(s *shape) {
	var seen uint64 // a bit for each field of the shape
	r.fields(func(id int64, kind byte) {
		for i := range s.fields {
			f := &s.fields[i]
			if f.id != id {
				continue
			}
			switch bit := uint64(1) << i; {
			case kind != f.kind:
				r.fail("%s of %s is of the Thrift type %d", f.name, s.name, kind)
			case seen&bit != 0:
				r.fail("%s of %s is there twice", f.name, s.name)
			default:
				seen |= bit
				r.checkField(f, s)
			}
			return
		}
		r.skip(kind)
	})
	for i, f := range s.fields {
		if f.required && seen&(1<<i) == 0 {
			r.fail("%s has no %s", s.name, f.name)
		}
	}
}

func (r *thriftReader) checkField(f *shapeField, s *shape) {
	switch f.kind {
	case thriftStruct:
		r.checkStruct(f.shape)
	case thriftList:
		r.each(func(kind byte) { r.checkElement(f, s, kind) })
	case thriftMap:
		r.entries(func(key, value byte) {
			if key != thriftString {
				r.fail("%s of %s has keys of the Thrift type %d", f.name, s.name, key)
			}
			r.bytes()
			r.checkElement(f, s, value)
		})
	default:
		r.checkScalar(f.kind, f.name, s.name)
	}
}

func (r *thriftReader) checkElement(f *shapeField, s *shape, kind byte) {
	switch {
	case kind != f.of:
		r.fail("%s of %s has elements of the Thrift type %d", f.name, s.name, kind)
	case kind == thriftStruct:
		r.checkStruct(f.shape)
	default:
		r.checkScalar(kind, f.name, s.name)
	}
}

func (r *thriftReader) checkScalar(kind byte, field, of string) {
	if kind != thriftBool {
		r.skip(kind)
		return
	}
	if v := r.u8(); v > 1 {
		r.fail("%s of %s is the boolean %d", field, of, v)
	}
}
