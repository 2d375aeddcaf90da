package sparkcsv

import (
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkvalue"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// Inferrer infers column types as Spark's inferSchema does, from the values alone:
// 00123 is a number.
type Inferrer struct {
	options Options
	types   []*types.Type
}

// NewInferrer returns an inferrer for a number of columns.
func NewInferrer(o Options, columns int) *Inferrer {
	f := &Inferrer{options: o, types: make([]*types.Type, columns)}
	for i := range f.types {
		f.types[i] = types.VoidType
	}
	return f
}

// Add takes the values of a record into account.
func (f *Inferrer) Add(row []string) {
	for i, v := range row {
		if i < len(f.types) && v != "" && v != f.options.NullValue {
			f.types[i] = f.infer(f.types[i], v)
		}
	}
}

// Types returns the inferred types; a column without values is a STRING.
func (f *Inferrer) Types() []*types.Type {
	for i, t := range f.types {
		if t.Kind == types.Void {
			f.types[i] = types.StringType
		}
	}
	return f.types
}

// inferenceOrder is the order in which types are tried.
var inferenceOrder = []types.Kind{types.Int, types.BigInt, types.Decimal, types.Double, types.Date, types.Timestamp, types.Boolean}

func (f *Inferrer) infer(sofar *types.Type, v string) *types.Type {
	if sofar.Kind == types.String {
		return sofar
	}
	found := types.StringType
	start := 0
	for i, k := range inferenceOrder {
		if k == sofar.Kind {
			start = i
		}
	}
	for _, k := range inferenceOrder[start:] {
		if t := f.try(k, v); t != nil {
			found = t
			break
		}
	}
	return commonType(sofar, found)
}

func (f *Inferrer) try(k types.Kind, v string) *types.Type {
	switch k {
	case types.Int, types.BigInt:
		bits, t := 32, types.IntType
		if k == types.BigInt {
			bits, t = 64, types.BigIntType
		}
		if strings.Contains(v, "_") {
			return nil
		}
		if _, err := strconv.ParseInt(v, 10, bits); err == nil {
			return t
		}
	case types.Decimal:
		p, s, ok := sparkvalue.DecimalShape(v)
		if ok && strings.Trim(v, "+-0123456789") == "" && s == 0 && p <= 38 && strings.TrimSpace(v) == v {
			return types.DecimalOf(p, 0)
		}
	case types.Double:
		if _, ok := sparkvalue.ParseJavaFloat(v, 64); ok {
			return types.DoubleType
		}
	case types.Date:
		if _, ok := sparkvalue.ParseDate(v); ok && f.options.PreferDate && len(v) == len("2006-01-02") {
			return types.DateType
		}
	case types.Timestamp:
		if _, _, ok := sparkvalue.ParseTimestamp(v, time.UTC, time.Now()); ok {
			return types.TimestampType
		}
	case types.Boolean:
		if strings.EqualFold(v, "true") || strings.EqualFold(v, "false") {
			return types.BooleanType
		}
	}
	return nil
}

// commonType returns the type of a column that has values of both types.
func commonType(a, b *types.Type) *types.Type {
	switch {
	case a.Kind == types.Void || a.Equal(b):
		return b
	case a.Numeric() && b.Numeric() || a.Kind == types.Date && b.Kind == types.Timestamp || a.Kind == types.Timestamp && b.Kind == types.Date:
		if t := types.Common(a, b); t != nil {
			return t
		}
	}
	return types.StringType
}
