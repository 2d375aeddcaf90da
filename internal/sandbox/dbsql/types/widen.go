package types

// Common returns the least common type of a and b, for comparisons, CASE and set
// operations, or nil if there is none.
func Common(a, b *Type) *Type {
	a, b = a.WithoutLength(), b.WithoutLength()
	if a.Equal(b) {
		return a
	}
	if a.Kind == Void {
		return b
	}
	if b.Kind == Void {
		return a
	}
	if a.Numeric() && b.Numeric() {
		return commonNumeric(a, b)
	}
	if a.Temporal() && b.Temporal() {
		if a.Kind == Timestamp || b.Kind == Timestamp {
			return TimestampType
		}
		return TimestampNTZType
	}
	if a.Kind == String && b.Atomic() {
		return withString(b)
	}
	if b.Kind == String && a.Atomic() {
		return withString(a)
	}
	if a.Kind != b.Kind {
		return nil
	}
	return commonNested(a, b)
}

// withString returns the common type of a string and t. In ANSI mode it is t, with
// numbers widened so that no digit of the string is lost.
func withString(t *Type) *Type {
	switch {
	case t.Integral():
		return BigIntType
	case t.Numeric():
		return DoubleType
	}
	return t
}

func commonNumeric(a, b *Type) *Type {
	if a.Fractional() || b.Fractional() {
		if a.Kind == Float && b.Kind == Float {
			return FloatType
		}
		small := func(t *Type) bool { return t.Kind == Float || t.Kind == TinyInt || t.Kind == SmallInt }
		if small(a) && small(b) {
			return FloatType
		}
		return DoubleType
	}
	if a.Kind == Decimal || b.Kind == Decimal {
		a, b = a.AsDecimal(), b.AsDecimal()
		s := max(a.Scale, b.Scale)
		return DecimalOf(max(a.Precision-a.Scale, b.Precision-b.Scale)+s, s)
	}
	if a.Kind > b.Kind {
		return a
	}
	return b
}

func commonNested(a, b *Type) *Type {
	switch a.Kind {
	case Array:
		if e := Common(a.Elem, b.Elem); e != nil {
			return ArrayOf(e)
		}
	case Map:
		k, v := Common(a.Key, b.Key), Common(a.Elem, b.Elem)
		if k != nil && v != nil {
			return MapOf(k, v)
		}
	case Struct:
		if len(a.Fields) != len(b.Fields) {
			return nil
		}
		fields := make([]Field, len(a.Fields))
		for i := range a.Fields {
			t := Common(a.Fields[i].Type, b.Fields[i].Type)
			if t == nil {
				return nil
			}
			fields[i] = Field{Name: a.Fields[i].Name, Type: t}
		}
		return StructOf(fields...)
	}
	return nil
}

// FitsWithoutLoss reports whether a column of type to can store every value of type
// from. COPY INTO requires it.
func FitsWithoutLoss(from, to *Type) bool {
	if from.Kind == Void || from.Equal(to) {
		return true
	}
	switch {
	case from.Integral() && to.Integral():
		return from.Kind <= to.Kind
	case from.Kind == Float && to.Kind == Double:
		return true
	case from.Numeric() && !from.Fractional() && to.Kind == Decimal:
		f := from.AsDecimal()
		return f.Scale <= to.Scale && f.Precision-f.Scale <= to.Precision-to.Scale
	case from.Kind == String && to.Kind == String:
		return to.Length == 0 || from.Length > 0 && from.Length <= to.Length
	}
	return false
}
