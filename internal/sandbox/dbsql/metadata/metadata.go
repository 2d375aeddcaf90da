// Package metadata defines the columns in the results of SHOW and DESCRIBE, and in
// the relations of information_schema.
//
// It serves both engines: the provider's data sources, and the clients that list and
// describe tables.
package metadata

import (
	"regexp"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// Catalogs and schemas with a special meaning.
const (
	HiveMetastore     = "hive_metastore"
	InformationSchema = "information_schema"
	SystemCatalog     = "system"
)

// TypeProperty and FormatProperty are table properties that information_schema.tables shows
// as table_type and data_source_format, so that a client can be tried on kinds of tables that
// the sandbox does not have, such as streaming and shared tables. The table behaves as before.
const (
	TypeProperty   = "sandbox.table_type"
	FormatProperty = "sandbox.data_source_format"
)

// Matcher returns the test for a pattern of SHOW: * matches any text, | separates
// alternatives, and case is ignored. A nil pattern matches every name.
func Matcher(pattern *string) func(name string) bool {
	if pattern == nil {
		return func(string) bool { return true }
	}
	alternatives := strings.Split(*pattern, "|")
	for i, a := range alternatives {
		parts := strings.Split(strings.TrimSpace(a), "*")
		for j := range parts {
			parts[j] = regexp.QuoteMeta(parts[j])
		}
		alternatives[i] = strings.Join(parts, ".*")
	}
	return regexp.MustCompile("(?is)^(?:" + strings.Join(alternatives, "|") + ")$").MatchString
}

// ShowTables returns the columns of SHOW TABLES, or of SHOW VIEWS.
func ShowTables(views bool) []fixedresult.Column {
	isTemporary := fixedresult.Column{Name: "isTemporary", Type: types.BooleanType}
	if views {
		return append(
			fixedresult.Strings("namespace", "viewName"),
			isTemporary,
			fixedresult.Column{Name: "isMaterialized", Type: types.BooleanType},
		)
	}
	return append(fixedresult.Strings("database", "tableName"), isTemporary)
}

// The columns of SHOW CATALOGS, SHOW SCHEMAS, SHOW CURRENT, DESCRIBE CATALOG and
// SET.
var (
	ShowCatalogs    = fixedresult.Strings("catalog")
	ShowSchemas     = fixedresult.Strings("databaseName")
	ShowCurrent     = fixedresult.Strings("catalog", "namespace")
	DescribeCatalog = fixedresult.Strings("info_name", "info_value")
	Set             = fixedresult.Strings("key", "value")
)

var (
	stringMap  = types.MapOf(types.StringType, types.StringType)
	stringList = types.ArrayOf(types.StringType)
)

// DescribeHistory holds the columns of DESCRIBE HISTORY.
var DescribeHistory = []fixedresult.Column{
	{Name: "version", Type: types.BigIntType}, {Name: "timestamp", Type: types.TimestampType},
	{Name: "userId", Type: types.StringType}, {Name: "userName", Type: types.StringType},
	{Name: "operation", Type: types.StringType}, {Name: "operationParameters", Type: stringMap},
	{Name: "job", Type: structOfStrings("jobId", "jobName", "jobRunId", "runId", "jobOwnerId", "triggerType")},
	{Name: "notebook", Type: structOfStrings("notebookId")}, {Name: "clusterId", Type: types.StringType},
	{
		Name: "readVersion",
		Type: types.BigIntType,
	}, {Name: "isolationLevel", Type: types.StringType}, {Name: "isBlindAppend", Type: types.BooleanType},
	{Name: "operationMetrics", Type: stringMap}, {Name: "userMetadata", Type: types.StringType}, {Name: "engineInfo", Type: types.StringType},
}

// DescribeDetail holds the columns of DESCRIBE DETAIL.
var DescribeDetail = []fixedresult.Column{
	{Name: "format", Type: types.StringType}, {Name: "id", Type: types.StringType}, {Name: "name", Type: types.StringType},
	{Name: "description", Type: types.StringType}, {Name: "location", Type: types.StringType},
	{Name: "createdAt", Type: types.TimestampType}, {Name: "lastModified", Type: types.TimestampType},
	{Name: "partitionColumns", Type: stringList}, {Name: "clusteringColumns", Type: stringList},
	{Name: "numFiles", Type: types.BigIntType}, {Name: "sizeInBytes", Type: types.BigIntType}, {Name: "properties", Type: stringMap},
	{
		Name: "minReaderVersion",
		Type: types.IntType,
	}, {Name: "minWriterVersion", Type: types.IntType}, {Name: "tableFeatures", Type: stringList},
}

func structOfStrings(names ...string) *types.Type {
	fields := make([]types.Field, len(names))
	for i, n := range names {
		fields[i] = types.Field{Name: n, Type: types.StringType}
	}
	return types.StructOf(fields...)
}

// NeedsColumnMapping reports whether Delta accepts a column's name only in a table
// with the property delta.columnMapping.mode = name.
func NeedsColumnMapping(column string) bool { return strings.ContainsAny(column, " ,;{}()\n\t=") }
