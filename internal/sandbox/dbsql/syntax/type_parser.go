package syntax

import (
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

var simpleTypes = map[string]*types.Type{
	"VOID": types.VoidType, "BOOLEAN": types.BooleanType,
	"TINYINT": types.TinyIntType, "BYTE": types.TinyIntType,
	"SMALLINT": types.SmallIntType, "SHORT": types.SmallIntType,
	"INT": types.IntType, "INTEGER": types.IntType,
	"BIGINT": types.BigIntType, "LONG": types.BigIntType,
	"FLOAT": types.FloatType, "REAL": types.FloatType, "DOUBLE": types.DoubleType,
	"STRING": types.StringType, "BINARY": types.BinaryType, "DATE": types.DateType,
	"TIMESTAMP": types.TimestampType, "TIMESTAMP_LTZ": types.TimestampType, "TIMESTAMP_NTZ": types.TimestampNTZType,
}

// ParseType parses a type, such as that of a parameter.
func ParseType(src string) (t *types.Type, err error) {
	tokens, err := Lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{src: src, tokens: tokens}
	defer p.recover(&err)
	t = p.dataType()
	p.expectEnd()
	return t, nil
}

// dataType parses a type.
func (p *parser) dataType() *types.Type {
	defer p.enterNested()()
	t := p.peek()
	if t.Kind != Word {
		p.syntaxError("a type is expected")
	}
	p.i++
	if s, ok := simpleTypes[t.Upper]; ok {
		return s
	}
	switch t.Upper {
	case "DECIMAL", "DEC", "NUMERIC":
		return p.decimalType()
	case "VARCHAR", "CHAR", "CHARACTER":
		if !p.isOp("(") {
			panic(
				sqlerror.New(
					"DATATYPE_MISSING_SIZE",
					"42K01",
					"DataType %q requires a length parameter, for example %q(10). Please specify the length.",
					t.Upper,
					t.Upper,
				),
			)
		}
		p.expectOp("(")
		n := int(p.integerLiteral())
		p.expectOp(")")
		return &types.Type{Kind: types.String, Length: n, Char: t.Upper != "VARCHAR"}
	case "ARRAY":
		p.expectOp("<")
		e := p.dataType()
		p.expectOp(">")
		return types.ArrayOf(e)
	case "MAP":
		p.expectOp("<")
		k := p.dataType()
		p.expectOp(",")
		v := p.dataType()
		p.expectOp(">")
		return types.MapOf(k, v)
	case "STRUCT":
		return p.structType()
	case "INTERVAL":
		for {
			if p.acceptAny("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "TO") == "" {
				return types.IntervalType
			}
		}
	}
	panic(sqlerror.New("UNSUPPORTED_DATATYPE", "0A000", "Unsupported data type \"%s\".", strings.ToUpper(t.Text)))
}

func (p *parser) decimalType() *types.Type {
	precision, scale := 10, 0
	if p.acceptOp("(") {
		precision = int(p.integerLiteral())
		if p.acceptOp(",") {
			scale = int(p.integerLiteral())
		}
		p.expectOp(")")
	}
	if precision > 38 {
		panic(sqlerror.New("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003", "Decimal precision %d exceeds max precision 38.", precision))
	}
	if scale > precision {
		panic(
			sqlerror.New("DECIMAL_SCALE_EXCEEDS_PRECISION", "42K0I", "Decimal scale (%d) cannot be greater than precision (%d).", scale, precision),
		)
	}
	return &types.Type{Kind: types.Decimal, Precision: precision, Scale: scale}
}

func (p *parser) structType() *types.Type {
	if p.acceptOp("<>") {
		return types.StructOf()
	}
	p.expectOp("<")
	var fields []types.Field
	for !p.acceptOp(">") {
		if len(fields) > 0 {
			p.expectOp(",")
		}
		f := types.Field{Name: p.anyIdentifier()}
		p.acceptOp(":")
		f.Type = p.dataType()
		if p.accept("NOT", "NULL") {
			f.NotNull = true
		}
		if p.accept("COMMENT") {
			f.Comment = p.stringLiteral()
		}
		for _, g := range fields {
			if strings.EqualFold(g.Name, f.Name) {
				panic(
					sqlerror.New(
						"COLUMN_ALREADY_EXISTS",
						"42711",
						"The column %s already exists. Choose another name or rename the existing column.",
						quoting.Name(strings.ToLower(f.Name)),
					),
				)
			}
		}
		fields = append(fields, f)
	}
	return types.StructOf(fields...)
}
