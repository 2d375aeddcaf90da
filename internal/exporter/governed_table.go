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
}

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
	if before.properties["delta.universalFormat.enabledFormats"] != "" {
		g.by = append(g.by, "UniForm")
	}
	if strings.EqualFold(before.properties["clusterByAuto"], "true") {
		g.by = append(g.by, "CLUSTER BY AUTO")
	}
	// It names columns, which the new table may not have.
	if before.properties["delta.dataSkippingStatsColumns"] != "" {
		g.by = append(g.by, "the property delta.dataSkippingStatsColumns")
	}
	quoted, err := databricks.Quote(e.Spec.Catalog)
	if err != nil {
		return g, err
	}
	err = e.inSession(ctx, func(wh *databricks.Warehouse) error {
		var found []string
		hidden := false
		for _, r := range policyRelations {
			names, err := wh.QueryTexts(ctx, fmt.Sprintf(
				"SELECT DISTINCT %s FROM %s.information_schema.%s WHERE lower(schema_name) = %s AND lower(table_name) = %s ORDER BY 1",
				r.selected, quoted, r.name, databricks.Literal(strings.ToLower(e.Spec.Database)), databricks.Literal(strings.ToLower(e.Spec.TableName))))
			switch {
			case strings.HasPrefix(databricks.Class(err), "TABLE_OR_VIEW_NOT_FOUND"), strings.HasPrefix(databricks.Class(err), "SCHEMA_NOT_FOUND"):
				continue // this catalog is not of Unity Catalog
			case databricks.IsNotApplicable(err) || jobs.IsCode(err, jobs.CodeInvalid) || jobs.IsCode(err, jobs.CodeForbidden):
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
		g.by, g.hidden = append(g.by, found...), g.hidden || hidden
		return nil
	})
	return g, err
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
	return e.cannotAlter(g, fmt.Sprintf("The warehouse does not widen the type of its column %q to %s: %s.", c.name, c.sqlType, err), e.otherTypeNext(c))
}

func (e *Export) otherTypeNext(c column) string {
	return "Set column_types so that it stays as it is, or change the table: ALTER TABLE " + e.targetSQL + " ALTER COLUMN " + c.sql + " TYPE " + c.sqlType
}

func (e *Export) cannotAlter(g governance, why, next string) error {
	return jobs.Invalid("fields", fmt.Sprintf("%s cannot get the export's columns without losing %s", e.target(), strings.Join(g.by, ", ")),
		why+" Only a replacement of the table could change that, and it would remove what others have set on it. The table was "+
			"not changed.", next)
}
