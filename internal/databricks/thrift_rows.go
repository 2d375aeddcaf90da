package databricks

// page reads a TFetchResultsResp.
func (c *thriftReader) page(r *reply) *page {
	p := &page{}
	c.fields(func(id int64, kind byte) {
		switch {
		case id == 2 && kind == thriftBool:
			p.more = c.u8() != 0
		case id == 3 && kind == thriftStruct:
			p.there = true
			c.rowSet(p)
		case id == 0x501 && kind == thriftStruct:
			p.described = true
			r.metadata = append(r.metadata, c.metadata(r))
		default:
			c.statusOr(r, id, kind)
		}
	})
	return p
}

// rowSet counts rows like the driver: by the declared counts of Arrow batches or links, or
// else by the values of the first column.
func (c *thriftReader) rowSet(p *page) {
	c.fields(func(id int64, kind byte) {
		switch {
		case id == 1 && kind == thriftI64:
			p.start = c.number(8)
		case id == 3 && kind == thriftList: // columns
			p.forms++
			c.each(func(byte) { p.columns = append(p.columns, c.valueList()) })
			if len(p.columns) > 0 {
				p.rows = p.columns[0].values
			}
		case id == 0x501 && kind == thriftList: // arrowBatches
			p.forms++
			c.each(func(byte) { p.add(c.arrowBatch()) })
		case id == 0x502 && kind == thriftList: // resultLinks
			p.forms++
			c.each(func(byte) { p.add(c.link()) })
		default:
			c.skip(kind)
		}
	})
}

func (p *page) add(one part) {
	p.rows += one.rows
	p.parts = append(p.parts, one)
}

// valueList reads a TColumn.
func (c *thriftReader) valueList() (v valueList) {
	c.fields(func(_ int64, kind byte) {
		if kind != thriftStruct {
			c.skip(kind)
			return
		}
		v.lists++
		c.fields(func(id int64, kind byte) {
			switch {
			case id == 1 && kind == thriftList:
				c.each(func(kind byte) { v.values++; c.skip(kind) })
			case id == 2 && kind == thriftString:
				v.nulls = len(c.bytes())
			default:
				c.skip(kind)
			}
		})
	})
	return v
}

// link reads a TSparkArrowResultLink.
func (c *thriftReader) link() (one part) {
	c.fields(func(id int64, kind byte) {
		switch {
		case id == 1 && kind == thriftString:
			one.link = string(c.bytes())
		case id == 3 && kind == thriftI64:
			one.start = c.number(8)
		case id == 4 && kind == thriftI64:
			one.rows = c.number(8)
		default:
			c.skip(kind)
		}
	})
	return one
}

// arrowBatch reads a TSparkArrowBatch.
func (c *thriftReader) arrowBatch() (one part) {
	c.fields(func(id int64, kind byte) {
		switch {
		case id == 1 && kind == thriftString:
			n := len(c.bytes())
			one.inline, one.to = true, c.size-len(c.b)
			one.from = one.to - n
		case id == 2 && kind == thriftI64:
			one.rows = c.number(8)
		default:
			c.skip(kind)
		}
	})
	return one
}
