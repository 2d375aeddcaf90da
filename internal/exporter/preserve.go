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

// existingTable is the state of the target before the run.
type existingTable struct {
	exists  bool
	columns []jobs.ColumnInfo
	// ours is false for a table that another owner created, and that
	// overwrite_existing allows the export to replace.
	ours       bool
	properties map[string]string
	detail     databricks.TableDetail
	// historyRefused reports that the warehouse refuses to read the history, as of a table
	// with row filters or column masks.
	historyRefused bool
	// version is the table's latest version; -1 if it has none.
	version int64
}

// mayHavePartitions reports whether the table is partitioned, or that this is not known.
func (x existingTable) mayHavePartitions() bool {
	return x.exists && (len(x.detail.Partitions) > 0 || x.detail.ID == "")
}

// hasColumnMapping reports whether the table has column mapping. In Delta, only a table
// with column mapping can replace such a table.
func (x existingTable) hasColumnMapping() bool {
	return x.properties[mappingProperty] == "name" || x.properties[mappingProperty] == "id"
}

const mappingProperty = "delta.columnMapping.mode"

// preservedDelta are the properties of Delta that users set. They are set again after
// CREATE OR REPLACE.
var preservedDelta = []string{
	"delta.autoOptimize.autoCompact", "delta.autoOptimize.optimizeWrite", "delta.checkpoint.writeStatsAsJson",
	"delta.checkpoint.writeStatsAsStruct", "delta.checkpointInterval", "delta.checkpointPolicy",
	"delta.compatibility.symlinkFormatManifest.enabled",
	"delta.dataSkippingNumIndexedCols", "delta.deletedFileRetentionDuration", "delta.enableChangeDataFeed",
	"delta.enableDeletionVectors", "delta.enableInCommitTimestamps", "delta.enableRowTracking", "delta.enableTypeWidening",
	"delta.isolationLevel",
	"delta.logRetentionDuration", "delta.parquet.compression.codec", "delta.randomPrefixLength", "delta.randomizeFilePrefixes",
	"delta.setTransactionRetentionDuration", "delta.targetFileSize", "delta.tuneFileSizesForRewrites",
}

// internalDelta are the beginnings of the properties that Delta sets by itself, or that a
// replacement sets again in another way.
var internalDelta = []string{
	mappingProperty, "delta.columnMapping.maxColumnId", constraintPrefix, "delta.feature.", "delta.inCommitTimestampEnablement",
	"delta.lastCommitTimestamp", "delta.lastUpdateVersion", "delta.minReaderVersion", "delta.minWriterVersion",
	"delta.rowTracking.materialized",
	"delta.workloadBasedColumns.",
}

// lostProperties names the properties that CREATE OR REPLACE would remove: they name columns,
// which the new table may not have, or this release does not know them.
func (x existingTable) lostProperties() (lost []string) {
	for _, key := range slices.Sorted(maps.Keys(x.properties)) {
		internal := slices.ContainsFunc(internalDelta, func(p string) bool { return strings.HasPrefix(key, p) })
		if strings.HasPrefix(key, "delta.") && !internal && !slices.Contains(preservedDelta, key) && key != uniForm {
			lost = append(lost, "the property "+key)
		}
	}
	return lost
}

// lostColumnRules names what CREATE OR REPLACE ... AS SELECT does not keep of the columns, as
// far as columns and properties show it. Generated and identity columns are features of a
// table; an older table with identity columns has the writer version 6:
// https://github.com/delta-io/delta/blob/master/PROTOCOL.md#writer-version-requirements
func (x existingTable) lostColumnRules() (rules []string) {
	for _, c := range x.columns {
		if !c.Nullable {
			rules = append(rules, "NOT NULL on the column "+c.Name)
		}
	}
	if x.properties["delta.feature.generatedColumns"] != "" {
		rules = append(rules, "generated columns")
	}
	if x.properties["delta.feature.identityColumns"] != "" || x.properties["delta.minWriterVersion"] == "6" {
		rules = append(rules, "identity columns")
	}
	if x.properties[mappingProperty] == "id" {
		rules = append(rules, "column mapping by id")
	}
	return rules
}

// isPreserved reports whether a property is set again after CREATE OR REPLACE.
func isPreserved(key string) bool {
	switch {
	case key == ownerProperty, key == "clusteringColumns", key == "transient_lastDdlTime",
		strings.HasPrefix(key, "option."), strings.HasPrefix(key, "spark."), strings.HasPrefix(key, "view."):
		return false
	case strings.HasPrefix(key, "delta."):
		return slices.Contains(preservedDelta, key)
	}
	return true
}

// preservedClauses are the clauses by which CREATE OR REPLACE keeps the table's comment,
// clustering and properties.
func (e *Export) preservedClauses(before existingTable, columns []column) string {
	properties := map[string]string{ownerProperty: e.JobID}
	for key, value := range before.properties {
		if isPreserved(key) {
			properties[key] = value
		}
	}
	if before.hasColumnMapping() || needsColumnMapping(columns) {
		properties[mappingProperty] = "name"
	}
	text := ""
	if before.detail.Comment != "" {
		text += " COMMENT " + databricks.Literal(before.detail.Comment)
	}
	if by := clustering(before, columns); by != "" {
		text += " CLUSTER BY (" + by + ")"
	}
	return text + tableProperties(properties)
}

// tableProperties is a TBLPROPERTIES clause.
func tableProperties(all map[string]string) string {
	parts := make([]string, 0, len(all))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, databricks.Literal(key)+" = "+databricks.Literal(all[key]))
	}
	return " TBLPROPERTIES (" + strings.Join(parts, ", ") + ")"
}

// clustering lists the columns by which the table is clustered. It is empty if one of
// them is no longer exported.
func clustering(before existingTable, columns []column) string {
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

// restoreClustering sets the clustering again if the replacement dropped it. Open source
// Delta drops it on INSERT OVERWRITE.
func (e *Export) restoreClustering(ctx context.Context, before existingTable, columns []column) error {
	by := clustering(before, columns)
	if by == "" {
		return nil
	}
	return e.inSession(ctx, func(wh *databricks.Warehouse) error {
		now, err := wh.Detail(ctx, e.target())
		if err != nil || slices.Equal(now.Clustering, before.detail.Clustering) {
			return err
		}
		return wh.ExecIdempotent(ctx, "ALTER TABLE "+e.targetSQL+" CLUSTER BY ("+by+")")
	})
}

// commentSteps copy the comments of the target's columns to the load table.
func (e *Export) commentSteps(before existingTable, columns []column) (steps []step) {
	for _, had := range before.columns {
		i := slices.IndexFunc(columns, func(c column) bool { return strings.EqualFold(c.name, had.Name) })
		if i >= 0 && had.Comment != "" {
			steps = append(steps, step{sql: fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s COMMENT %s",
				e.loadSQL, columns[i].sql, databricks.Literal(had.Comment))})
		}
	}
	return steps
}

// constraintPrefix is the prefix of the properties in which Delta keeps CHECK constraints.
const constraintPrefix = "delta.constraints."

// constraints returns the table's CHECK constraints, by name.
func (x existingTable) constraints() map[string]string {
	all := map[string]string{}
	for key, value := range x.properties {
		if name, ok := strings.CutPrefix(key, constraintPrefix); ok {
			all[name] = value
		}
	}
	return all
}

// constraintSteps add the target's constraints to a table. A constraint on a column that is
// no longer exported is dropped with the column.
func (e *Export) constraintSteps(table string, before existingTable) (steps []step, err error) {
	all := before.constraints()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		quoted, err := databricks.Quote(name)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step{sql: fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s)", table, quoted, all[name]),
			// The column does not exist any more, or the statement was executed twice.
			done: []string{"UNRESOLVED_COLUMN", "DELTA_COLUMN_NOT_FOUND_IN_SCHEMA", "DELTA_CONSTRAINT_ALREADY_EXISTS"}})
	}
	return steps, nil
}
