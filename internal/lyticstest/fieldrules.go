package lyticstest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// shape is how many values a field of a type holds.
type shape int

const (
	scalar shape = iota
	set
	mapping
)

type fieldType struct {
	shape shape
	// element is the type of a scalar, or of a map's values.
	element string
}

// typeOf reads the name of a type, as Lytics lists them.
func typeOf(name string) (fieldType, bool) {
	switch name {
	case "string", "bool", "int", "number", "date", "geolocation":
		return fieldType{scalar, name}, true
	case "float":
		return fieldType{scalar, "number"}, true
	case "time", "datetime":
		return fieldType{scalar, "date"}, true
	case "[]string", "[]time", "ts[]string", "[]timebucket":
		return fieldType{shape: set}, true
	}
	element, ok := strings.CutPrefix(name, "map[string]")
	return fieldType{mapping, element}, ok && slices.Contains([]string{"int", "number", "string", "bool", "time", "value"}, element)
}

// allows tells whether a merge operation fits a type.
func (t fieldType) allows(mergeop string) bool {
	switch mergeop {
	case "":
		return true
	case "latest", "oldest":
		return t.shape == scalar
	case "min", "max":
		return t.shape == scalar && slices.Contains([]string{"int", "number", "date"}, t.element)
	case "sum":
		return t.shape == scalar && slices.Contains([]string{"int", "number"}, t.element)
	case "count":
		return t.shape == scalar && t.element == "int"
	case "merge":
		return t.shape != scalar
	case "capped":
		return t.shape == set
	case "mapmax", "mapmin", "latestmap", "oldestmap":
		return t.shape == mapping
	}
	return false
}

// checkField refuses a field that Lytics refuses.
func checkField(o object) error {
	if o.text("id") == "" || o.text("type") == "" {
		return errors.New("id and type are required")
	}
	t, ok := typeOf(o.text("type"))
	if !ok {
		return fmt.Errorf("unknown type %q", o.text("type"))
	}
	op := o.text("mergeop")
	if o.boolean("is_identifier") && op != "" {
		return errors.New("Identifier Field cannot define a Merge Operation.") //nolint:revive // the text of Lytics
	}
	if !t.allows(op) {
		return fmt.Errorf("merge operation %q does not fit type %s", op, o.text("type"))
	}
	capacity, err := o.integer("capacity")
	if err != nil {
		return err
	}
	days, err := o.integer("keep_days")
	if err != nil {
		return err
	}
	if t.shape == scalar && (capacity != 0 || days != 0) {
		return fmt.Errorf("capacity and keep_days need a set or a map, the type is %s", o.text("type"))
	}
	if capacity < 0 || days < 0 {
		return errors.New("capacity and keep_days cannot be negative")
	}
	if d := o.text("keep_duration"); d != "" && d != fmt.Sprintf("%dd", days) {
		return fmt.Errorf("keep_duration %s does not agree with keep_days %d", d, days)
	}
	return nil
}

// respace writes an expression as a parser and a printer do: with one space where
// there are several.
func respace(text string) string {
	if strings.ContainsAny(text, "\"'`") {
		return text
	}
	return strings.Join(strings.Fields(text), " ")
}
