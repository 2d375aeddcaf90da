package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// column is a column of the user's table with its Databricks type.
type column struct{ name, typ string }

// quoted is the column's name in SQL and in expressions.
func (c column) quoted() string { return "`" + strings.ReplaceAll(c.name, "`", "``") + "`" }

// isTime reports whether the column can order events.
func (c column) isTime() bool {
	return slices.Contains([]string{"TIMESTAMP", "TIMESTAMP_NTZ", "DATE"}, strings.ToUpper(c.typ))
}

func (c column) isInteger() bool {
	return slices.Contains([]string{"TINYINT", "SMALLINT", "INT", "BIGINT"}, strings.ToUpper(c.typ))
}

func (c column) isText() bool { return strings.EqualFold(c.typ, "STRING") }

// canIdentify reports whether the values of the column can identify a person.
func (c column) canIdentify() bool { return c.isText() || c.isInteger() }

// named finds a column as Databricks does, without regard to case.
func named(all []column, name string) (column, bool) {
	i := slices.IndexFunc(all, func(c column) bool { return strings.EqualFold(c.name, name) })
	if i < 0 {
		return column{}, false
	}
	return all[i], true
}

// list names columns with their types.
func list(all []column) string {
	texts := make([]string, len(all))
	for i, c := range all {
		texts[i] = c.name + " (" + c.typ + ")"
	}
	return strings.Join(texts, ", ")
}

var (
	// changeTime are names of columns that change with the row.
	changeTime = regexp.MustCompile(`(?i)(updat|modif|chang)`)
	// notOfTheRow are names of dates that say nothing of when the row was written.
	notOfTheRow = regexp.MustCompile(`(?i)(birth|dob|expir)`)
)

// chooseTimestamp returns the column by which new and changed rows are found: the wanted
// one, or else a time that changes with the row, or else the first time. ok is false if the
// table has none.
func chooseTimestamp(all []column, wanted string) (c column, ok bool, err error) {
	if wanted != "" {
		c, ok := named(all, wanted)
		switch {
		case !ok:
			return c, false, fmt.Errorf("TIMESTAMP=%s: the file has no such column; its columns are %s", wanted, list(all))
		case !c.isTime():
			return c, false, fmt.Errorf("TIMESTAMP=%s: the column is %s, and only TIMESTAMP, TIMESTAMP_NTZ and DATE columns order events; "+
				"in a CSV file, write times as 2026-01-31 06:30:00", wanted, c.typ)
		}
		return c, true, nil
	}
	best := -1
	for _, candidate := range all {
		if !candidate.isTime() || notOfTheRow.MatchString(candidate.name) {
			continue
		}
		score := 0
		if changeTime.MatchString(candidate.name) {
			score += 2
		}
		if !strings.EqualFold(candidate.typ, "DATE") {
			score++
		}
		if score > best {
			best, c = score, candidate
		}
	}
	return c, best >= 0, nil
}

// personal are names of columns that identify people, the best one first.
var personal = []*regexp.Regexp{
	regexp.MustCompile(`(?i)^e[_-]?mail([_-]?address)?$`),
	regexp.MustCompile(`(?i)^(user|customer|client|account|member|household|person|contact|visitor|profile)[_-]?(id|key|no|number)$`),
	regexp.MustCompile(`(?i)^(uid|uuid|guid|phone|phone[_-]?number|device[_-]?id|anonymous[_-]?id)$`),
	regexp.MustCompile(`(?i)^id$`),
	regexp.MustCompile(`(?i)[_-]id$`),
}

// chooseIdentifier returns the column whose values identify a person: the wanted one, or
// else one whose name says so, or else the one with the most values. distinct counts the
// values of columns; it is called only for the latter.
func chooseIdentifier(all []column, wanted string, distinct func([]column) ([]int64, error)) (column, error) {
	if wanted != "" {
		c, ok := named(all, wanted)
		switch {
		case !ok:
			return c, fmt.Errorf("IDENTIFIER=%s: the file has no such column; its columns are %s", wanted, list(all))
		case !c.canIdentify():
			return c, fmt.Errorf("IDENTIFIER=%s: the column is %s, and only text and whole numbers identify a person", wanted, c.typ)
		}
		return c, nil
	}
	candidates := slices.DeleteFunc(slices.Clone(all), func(c column) bool { return !c.canIdentify() })
	if len(candidates) == 0 {
		return column{}, fmt.Errorf("no column can identify a person: that takes text or whole numbers, and the columns are %s", list(all))
	}
	for _, pattern := range personal {
		for _, c := range candidates {
			if pattern.MatchString(c.name) {
				return c, nil
			}
		}
	}
	counts, err := distinct(candidates)
	if err != nil {
		return column{}, err
	}
	best := 0
	for i, n := range counts {
		if n > counts[best] {
			best = i
		}
	}
	return candidates[best], nil
}

// field is a field of the profiles, in the form of the example's variable.
type field struct {
	Type       string `json:"type"`
	Expression string `json:"expression"`
	Identifier bool   `json:"identifier,omitempty"`
}

// mostFields bounds the fields: each is two resources, and a demo of a table with a thousand
// columns should end. Events have all columns.
const mostFields = 60

// fieldsOf makes a field of each column with a simple type. It also returns the ids of the
// fields, that of the identifier first, and the columns without a field.
func fieldsOf(all []column, identifier column) (fields map[string]field, ids []string, without []column) {
	ids = []string{fieldID(identifier.name, nil)}
	fields = map[string]field{ids[0]: identifierField(identifier)}
	for _, c := range all {
		if c == identifier {
			continue
		}
		typ := fieldType(c)
		if typ == "" || len(fields) == mostFields {
			without = append(without, c)
			continue
		}
		id := fieldID(c.name, fields)
		fields[id] = field{Type: typ, Expression: c.quoted()}
		ids = append(ids, id)
	}
	return fields, ids, without
}

// identifierField is the field of the identifier. Numbers become text, so that 7 of a file
// and "7" of another are one person.
func identifierField(c column) field {
	f := field{Type: "string", Expression: c.quoted(), Identifier: true}
	if !c.isText() {
		f.Expression = "tostring(" + c.quoted() + ")"
	}
	return f
}

// fieldType is the type of a field for a column; empty for nested and binary columns.
func fieldType(c column) string {
	typ, _, _ := strings.Cut(strings.ToUpper(c.typ), "(")
	switch {
	case c.isText():
		return "string"
	case c.isInteger():
		return "int"
	case c.isTime():
		return "date"
	case typ == "DECIMAL", typ == "DOUBLE", typ == "FLOAT":
		return "number"
	case typ == "BOOLEAN":
		return "bool"
	}
	return ""
}

var notInID = regexp.MustCompile(`[^a-z0-9_]+`)

// fieldID makes an id of a column's name: lower case, with underscores, and not one of the
// ids that are taken.
func fieldID(name string, taken map[string]field) string {
	id := strings.Trim(notInID.ReplaceAllString(strings.ToLower(name), "_"), "_")
	if id == "" || id[0] >= '0' && id[0] <= '9' {
		id = "f_" + id
	}
	id = strings.TrimRight(id[:min(len(id), 100)], "_")
	unique := id
	for n := 2; ; n++ {
		if _, ok := taken[unique]; !ok {
			return unique
		}
		unique = fmt.Sprintf("%s_%d", id, n)
	}
}
