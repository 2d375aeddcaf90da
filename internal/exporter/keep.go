package exporter

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// existing is the target as the run found it.
type existing struct {
	exists  bool
	columns []jobs.ColumnInfo
	// ours is false for a table that overwrite_existing lets us take.
	ours       bool
	properties map[string]string
	detail     databricks.TableDetail
	// version is the table's latest; -1 where there is none.
	version int64
}

// mapped tables cannot be replaced by tables without column mapping.
func (x existing) mapped() bool { return x.properties[mappingProperty] == "name" }

const mappingProperty = "delta.columnMapping.mode"

// kept are the properties of Delta that users set and that a replaced table
// takes again. Others are Delta's own, or belong to columns.
var kept = []string{
	"delta.autoOptimize.autoCompact", "delta.autoOptimize.optimizeWrite", "delta.checkpoint.writeStatsAsJson", "delta.checkpoint.writeStatsAsStruct",
	"delta.checkpointInterval", "delta.checkpointPolicy", "delta.dataSkippingNumIndexedCols", "delta.deletedFileRetentionDuration",
	"delta.enableChangeDataFeed", "delta.enableDeletionVectors", "delta.enableRowTracking", "delta.enableTypeWidening", "delta.isolationLevel",
	"delta.logRetentionDuration", "delta.parquet.compression.codec", "delta.randomizeFilePrefixes", "delta.setTransactionRetentionDuration",
	"delta.targetFileSize", "delta.tuneFileSizesForRewrites",
}

// keptProperty tells whether a property is said again.
func keptProperty(key string) bool {
	switch {
	case key == ownerProperty, key == "clusteringColumns", key == "transient_lastDdlTime", strings.HasPrefix(key, "option."), strings.HasPrefix(key, "spark."), strings.HasPrefix(key, "view."):
		return false
	case strings.HasPrefix(key, "delta."):
		return slices.Contains(kept, key)
	}
	return true
}

// clauses say again what CREATE OR REPLACE would drop.
func (e *Export) clauses(before existing, columns []column) string {
	said := map[string]string{ownerProperty: e.JobID}
	for key, value := range before.properties {
		if keptProperty(key) {
			said[key] = value
		}
	}
	if before.mapped() || needsMapping(columns) {
		said[mappingProperty] = "name"
	}
	text := ""
	if before.detail.Comment != "" {
		text += " COMMENT " + databricks.Literal(before.detail.Comment)
	}
	if by := clustering(before, columns); by != "" {
		text += " CLUSTER BY (" + by + ")"
	}
	return text + tableProperties(said)
}

// tableProperties writes TBLPROPERTIES.
func tableProperties(all map[string]string) string {
	parts := make([]string, 0, len(all))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, databricks.Literal(key)+" = "+databricks.Literal(all[key]))
	}
	return " TBLPROPERTIES (" + strings.Join(parts, ", ") + ")"
}

// clustering are the columns that the table is clustered by, if all of them are
// still there.
func clustering(before existing, columns []column) string {
	var by []string
	for _, name := range before.detail.Clustering {
		i := slices.IndexFunc(columns, func(c column) bool { return strings.EqualFold(c.name, strings.Trim(name, "`")) })
		if i < 0 {
			return ""
		}
		by = append(by, columns[i].sql)
	}
	return strings.Join(by, ", ")
}

// recluster says the clustering again where a replacement dropped it, as open
// source Delta does on INSERT OVERWRITE.
func (e *Export) recluster(ctx context.Context, before existing, columns []column) error {
	by := clustering(before, columns)
	if by == "" {
		return nil
	}
	return e.session(ctx, func(wh *databricks.Warehouse) error {
		now, err := wh.Detail(ctx, e.target())
		if err != nil || slices.Equal(now.Clustering, before.detail.Clustering) {
			return err
		}
		return wh.ExecRepeatable(ctx, "ALTER TABLE "+e.sql+" CLUSTER BY ("+by+")")
	})
}

// keepComments gives the run's own table the comments of the columns: AS SELECT
// takes them from there.
func (e *Export) keepComments(ctx context.Context, before existing, columns []column) error {
	for _, had := range before.columns {
		i := slices.IndexFunc(columns, func(c column) bool { return strings.EqualFold(c.name, had.Name) })
		if i < 0 || had.Comment == "" {
			continue
		}
		if err := e.exec(ctx, fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s COMMENT %s", e.load, columns[i].sql, databricks.Literal(had.Comment))); err != nil {
			return err
		}
	}
	return nil
}

// constraintPrefix begins the properties in which Delta keeps CHECK constraints.
const constraintPrefix = "delta.constraints."

// constraints are the table's CHECK constraints, by name.
func (x existing) constraints() map[string]string {
	all := map[string]string{}
	for key, value := range x.properties {
		if name, ok := strings.CutPrefix(key, constraintPrefix); ok {
			all[name] = value
		}
	}
	return all
}

// checkConstraints holds the new rows against the table's constraints before
// anything is replaced. One on columns that are gone goes with them.
func (e *Export) checkConstraints(ctx context.Context, before existing) error {
	return e.eachConstraint(ctx, e.load, before)
}

// restoreConstraints gives the replaced table its constraints again.
func (e *Export) restoreConstraints(ctx context.Context, before existing) error {
	return e.eachConstraint(ctx, e.sql, before)
}

func (e *Export) eachConstraint(ctx context.Context, table string, before existing) error {
	all := before.constraints()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		quoted, err := databricks.Quote(name)
		if err != nil {
			return err
		}
		err = e.exec(ctx, fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s)", table, quoted, all[name]))
		switch class, _, _ := strings.Cut(databricks.Class(err), "."); class {
		case "UNRESOLVED_COLUMN", "DELTA_COLUMN_NOT_FOUND_IN_SCHEMA", "DELTA_CONSTRAINT_ALREADY_EXISTS":
			continue // its column is gone; or the statement was sent twice
		}
		if err != nil {
			return err
		}
	}
	return nil
}
