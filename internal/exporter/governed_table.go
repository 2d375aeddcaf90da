package exporter

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// governance is what CREATE OR REPLACE would remove from a table, and what the export
// cannot set again.
type governance struct {
	// by names the things: "the column mask on email".
	by []string
	// hidden reports row filters or column masks, or that they cannot be read: a new
	// column may then show what the policies hide.
	hidden bool
	// defaults are the default expressions of columns, by name in lower case.
	defaults map[string]string
}

// uniForm is the property of a table that is readable as Iceberg.
const uniForm = "delta.universalFormat.enabledFormats"

// policyRelations are the relations of information_schema with a table's policies and
// tags: https://docs.databricks.com/aws/en/sql/language-manual/information-schema/column_masks
// and its neighbours. They exist in Unity Catalog only.
var policyRelations = []struct {
	name, selected, text string
	hides                bool
}{
	{"row_filters", "filter_name", "the row filter %s", true},
	{"column_masks", "column_name", "the column mask on %s", true},
	{"table_tags", "tag_name", "the tag %s", false},
	{"column_tags", "column_name", "a tag on the column %s", false},
}

// governanceOf reads the table's policies and tags. What cannot be read counts as
// governed, because the table is then altered, and nothing of it is lost.
func (e *Export) governanceOf(ctx context.Context, before existingTable) (g governance, err error) {
	if before.historyRefused {
		g.by, g.hidden = []string{"policies, because of which the warehouse refuses its history"}, true
	}
	if len(before.detail.Partitions) > 0 {
		g.by = append(g.by, "partitioning")
	}
	if before.properties[uniForm] != "" {
		g.by = append(g.by, "UniForm")
	}
	if strings.EqualFold(before.properties["clusterByAuto"], "true") {
		g.by = append(g.by, "CLUSTER BY AUTO")
	}
	g.by = slices.Concat(g.by, before.lostProperties(), before.lostColumnRules())
	quoted, err := databricks.Quote(e.Spec.Catalog)
	if err != nil {
		return g, err
	}
	table := fmt.Sprintf("= %s AND lower(table_name) = %s",
		databricks.Literal(strings.ToLower(e.Spec.Database)), databricks.Literal(strings.ToLower(e.Spec.TableName)))
	err = e.inSession(ctx, func(wh *databricks.Warehouse) error {
		var found []string
		hidden, defaults := false, map[string]string{}
		for _, r := range policyRelations {
			names, err := wh.QueryTexts(ctx, fmt.Sprintf(
				"SELECT DISTINCT %s FROM %s.information_schema.%s WHERE lower(schema_name) %s ORDER BY 1", r.selected, quoted, r.name, table))
			switch {
			case isNoUnityCatalog(err):
				continue
			case isUnreadable(err):
				found, hidden = append(found, "policies in "+r.name+", which cannot be read"), hidden || r.hides
				continue
			case err != nil:
				return err
			}
			for _, name := range names {
				found = append(found, fmt.Sprintf(r.text, strings.Join(name, " ")))
			}
			hidden = hidden || r.hides && len(names) > 0
		}
		rows, err := wh.QueryTexts(ctx, fmt.Sprintf("SELECT column_name, column_default FROM %s.information_schema.columns "+
			"WHERE lower(table_schema) %s AND column_default IS NOT NULL ORDER BY ordinal_position", quoted, table))
		switch {
		case isNoUnityCatalog(err):
		case isUnreadable(err):
			found = append(found, "defaults of columns, which cannot be read")
		case err != nil:
			return err
		}
		for _, row := range rows {
			found = append(found, "the default of the column "+row[0])
			defaults[strings.ToLower(row[0])] = row[1]
		}
		g.by, g.hidden, g.defaults = append(g.by, found...), g.hidden || hidden, defaults
		return nil
	})
	return g, err
}

// isNoUnityCatalog reports that a catalog has no information_schema.
func isNoUnityCatalog(err error) bool {
	class := databricks.Class(err)
	return strings.HasPrefix(class, "TABLE_OR_VIEW_NOT_FOUND") || strings.HasPrefix(class, "SCHEMA_NOT_FOUND")
}

// isUnreadable reports that a relation of information_schema cannot be read.
func isUnreadable(err error) bool {
	return databricks.IsNotApplicable(err) || jobs.IsCode(err, jobs.CodeInvalid) || jobs.IsCode(err, jobs.CodeForbidden)
}

// columnChange is how the columns of a governed table change.
type columnChange struct {
	added, widened []column
	// selected are the values of all columns that the table has then.
	selected []string
	// dropped are quoted names.
	dropped []string
	// warning names the fields that the table does not get; empty if it gets all.
	warning string
}

// changeOf compares the columns of the audience with those of the table. It refuses a
// change that only a replacement of the table could make.
func (e *Export) changeOf(columns []column, before existingTable, g governance) (change columnChange, err error) {
	var kept []string
	for _, c := range columns {
		had := slices.IndexFunc(before.columns, func(h jobs.ColumnInfo) bool { return strings.EqualFold(h.Name, c.name) })
		switch {
		case had < 0 && g.hidden && len(e.Spec.Fields) == 0:
			kept = append(kept, c.name)
			continue
		case had < 0 && !before.hasColumnMapping() && needsColumnMapping([]column{c}):
			return change, e.cannotAlter(g, fmt.Sprintf("Its new column %q has characters that Delta allows only in tables with "+
				"column mapping.", c.name),
				"ALTER TABLE "+e.targetSQL+" SET TBLPROPERTIES ('"+mappingProperty+"' = 'name'), or set fields without it")
		case had < 0:
			change.added = append(change.added, c)
		case strings.EqualFold(before.columns[had].Type, c.sqlType):
		case strings.EqualFold(before.properties["delta.enableTypeWidening"], "true"):
			change.widened = append(change.widened, c) // the warehouse refuses a type that is not wider
		default:
			return change, e.cannotAlter(g, fmt.Sprintf("Its column %q is a %s, and the export "+
				"makes it a %s.", c.name, before.columns[had].Type, c.sqlType), e.otherTypeNext(c))
		}
		change.selected = append(change.selected, c.sql)
	}
	for _, h := range before.columns {
		if slices.ContainsFunc(columns, func(c column) bool { return strings.EqualFold(c.name, h.Name) }) {
			continue
		}
		quoted, err := databricks.Quote(h.Name)
		if err != nil {
			return change, err
		}
		if text, found := g.defaults[strings.ToLower(h.Name)]; found {
			// An export makes no column with a default: it belongs to others, and stays.
			change.selected = append(change.selected, fmt.Sprintf("CAST(%s AS %s) AS %s", text, h.Type, quoted))
			continue
		}
		if !h.Nullable {
			return change, e.cannotAlter(g, fmt.Sprintf("Its column %q is NOT NULL and has no default, and the export has no field of that name.",
				h.Name), fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL, or DROP COLUMN %s, or give the column a default",
				e.targetSQL, quoted, quoted))
		}
		change.selected = append(change.selected, fmt.Sprintf("CAST(NULL AS %s) AS %s", h.Type, quoted))
		if before.hasColumnMapping() {
			change.dropped = append(change.dropped, quoted)
		}
	}
	if len(kept) > 0 {
		change.warning = fmt.Sprintf("%s has %s. The fields %s are new and are not added to it, because a new column has no mask: name "+
			"them in fields to add them",
			e.target(), strings.Join(g.by, ", "), strings.Join(kept, ", "))
	}
	return change, nil
}

// notWidened is the error of a type that the warehouse refuses to widen.
func (e *Export) notWidened(g governance, c column, err error) error {
	if !databricks.IsNotApplicable(err) {
		return err
	}
	why := fmt.Sprintf("The warehouse does not widen the type of its column %q to %s: %s.", c.name, c.sqlType, err)
	return e.cannotAlter(g, why, e.otherTypeNext(c))
}

func (e *Export) otherTypeNext(c column) string {
	return fmt.Sprintf("Set column_types so that it stays as it is, or change the table: ALTER TABLE %s ALTER COLUMN %s TYPE %s",
		e.targetSQL, c.sql, c.sqlType)
}

func (e *Export) cannotAlter(g governance, why, next string) error {
	return jobs.Invalid("fields", fmt.Sprintf("%s cannot get the export's columns without losing %s", e.target(), strings.Join(g.by, ", ")),
		why+" Only a replacement of the table could change that, and it would remove what others have set on it. The table was "+
			"not changed.", next)
}
