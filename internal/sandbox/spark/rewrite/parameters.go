package rewrite

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Parameters binds values to a statement's parameter markers as literals, since
// Spark's Thrift server does not take parameters.
type Parameters struct {
	all        []warehouse.Parameter
	positional []warehouse.Parameter
	named      map[string]warehouse.Parameter
	used       int
}

// NewParameters separates a statement's parameters into named and positional ones.
func NewParameters(all []warehouse.Parameter) *Parameters {
	p := &Parameters{all: all, named: map[string]warehouse.Parameter{}}
	for _, one := range all {
		if one.Name == "" {
			p.positional = append(p.positional, one)
		} else {
			p.named[strings.ToLower(one.Name)] = one
		}
	}
	return p
}

// Positional returns the text of the value for question mark i, counted from 0; nil
// if there is no value, or it is NULL.
func (p *Parameters) Positional(i int) *string {
	if i >= len(p.positional) {
		return nil
	}
	return p.positional[i].Value
}

// literal returns the literal for a parameter marker; the name "" is the next
// question mark. ok is false without a value: Spark then refuses the marker.
func (p *Parameters) literal(name string) (literal string, ok bool, err error) {
	var value warehouse.Parameter
	if name == "" {
		if ok = p.used < len(p.positional); ok {
			value = p.positional[p.used]
			p.used++
		}
	} else {
		value, ok = p.named[strings.ToLower(name)]
	}
	if !ok {
		return "", false, nil
	}
	literal, err = Literal(value.Type, value.Value)
	return literal, true, err
}

// text is the syntax.MarkerValue of an IDENTIFIER clause.
func (p *Parameters) text(name string) (*string, error) {
	m := &syntax.Param{Name: name}
	if name == "" {
		p.used++
		m.Ordinal = p.used
	}
	v, err := m.Value(p.all)
	return v.Value, err
}

// checkAllBound returns an error if there are more positional values than question marks.
func (p *Parameters) checkAllBound() error {
	if p.used < len(p.positional) {
		return &warehouse.Error{
			Class: "INVALID_SQL_ARG", SQLState: "42K08",
			Message: fmt.Sprintf("The statement has %d parameter markers and was given %d values.", p.used, len(p.positional)),
		}
	}
	return nil
}

var (
	typeName = regexp.MustCompile(`^[A-Z_]+( [A-Z_ ]+)?(\(\s*\d+\s*(,\s*\d+\s*)?\))?$`)
	integer  = regexp.MustCompile(`^-?\d{1,18}$`)
	suffix   = map[string]string{"BIGINT": "L", "LONG": "L", "INT": "", "INTEGER": ""}
	plain    = regexp.MustCompile(`^-?\d{1,9}$`)
)

// Literal returns a value as an SQL literal of the type.
func Literal(sqlType string, value *string) (string, error) {
	t := strings.ToUpper(strings.TrimSpace(sqlType))
	if !typeName.MatchString(t) {
		return "", &warehouse.Error{
			Class: "UNSUPPORTED_FEATURE.PARAMETER_TYPE", SQLState: "0A000",
			Message: fmt.Sprintf("The sandbox cannot bind a parameter of type %s.", sqlType),
		}
	}
	if value == nil {
		if t == "VOID" {
			return "NULL", nil
		}
		return "CAST(NULL AS " + t + ")", nil
	}
	short, isInteger := suffix[t]
	switch {
	case t == "STRING":
		return quoting.Text(*value), nil
	case t == "BOOLEAN" && (*value == "true" || *value == "false"):
		return *value, nil
	case isInteger && (plain.MatchString(*value) || short == "L" && integer.MatchString(*value)):
		return *value + short, nil
	}
	return "CAST(" + quoting.Text(*value) + " AS " + t + ")", nil
}
