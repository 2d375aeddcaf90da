package spark

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/metadata"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkvalue"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rewrite"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// settings maps the parameters of a Databricks session to Spark's settings; "" means
// that Spark has none. The front enforces STATEMENT_TIMEOUT.
var settings = map[string]string{
	"ANSI_MODE": "spark.sql.ansi.enabled", "TIMEZONE": "spark.sql.session.timeZone",
	"LEGACY_TIME_PARSER_POLICY": "spark.sql.legacy.timeParserPolicy", "MAX_FILE_PARTITION_BYTES": "spark.sql.files.maxPartitionBytes",
	"STATEMENT_TIMEOUT": "", "ENABLE_PHOTON": "", "USE_CACHED_RESULT": "", "READ_ONLY_EXTERNAL_METASTORE": "", "QUERY_TAGS": "",
}

// partitionOverwriteMode is a setting of clusters: DYNAMIC makes INSERT OVERWRITE keep the
// partitions that get no row.
const partitionOverwriteMode = "spark.sql.sources.partitionOverwriteMode"

// recordSetting applies a session parameter to the session, and returns Spark's name
// of it; "" if Spark has none.
func (s *session) recordSetting(key, value string) (string, error) {
	name, known := settings[strings.ToUpper(key)]
	if !known {
		for _, spark := range settings {
			if spark != "" && strings.EqualFold(spark, key) {
				name, known = spark, true
			}
		}
	}
	switch {
	case s.cluster && strings.EqualFold(key, "spark.sql.thriftServer.queryTimeout"): // the front enforces it
	case s.cluster && strings.EqualFold(key, partitionOverwriteMode):
		name = partitionOverwriteMode
	case strings.HasPrefix(strings.ToLower(key), "spark.thriftserver."):
		// The Python connector sends one with every session, about the form of results,
		// which is the front's.
	case !known && strings.HasPrefix(strings.ToLower(key), "spark."):
		return "", sqlerror.New("CONFIG_NOT_AVAILABLE", "42K0I", "Configuration %s is not available.", key)
	case name == "spark.sql.session.timeZone":
		location, err := sparkvalue.Zone(value)
		if err != nil {
			return "", sqlerror.UnknownTimeZone(value)
		}
		s.location = location
	case name == "spark.sql.ansi.enabled" && !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false"):
		return "", sqlerror.NotBoolean(key, value)
	}
	s.settings[key] = value
	return name, nil
}

// executeSet executes SET and RESET.
func (s *session) executeSet(ctx context.Context, statement string) (warehouse.Result, error) {
	parsed, err := syntax.Parse(statement)
	if err != nil {
		return nil, err
	}
	st, ok := parsed.(*syntax.Set)
	if !ok {
		return nil, sqlerror.Unsupported("this form of SET")
	}
	columns := metadata.Set
	switch {
	case st.Reset:
		for key := range settings {
			if st.Key != "" && !strings.EqualFold(st.Key, key) {
				continue
			}
			if err := s.reset(ctx, key); err != nil {
				return nil, err
			}
		}
		return fixedresult.Empty(), nil
	case st.Value != nil:
		name, err := s.recordSetting(st.Key, *st.Value)
		if err != nil {
			return nil, err
		}
		if name != "" {
			if _, err := s.queryTexts(ctx, "SET "+name+"="+quoting.Name(*st.Value)); err != nil {
				return nil, s.databricksError(err, &rewrite.Statement{Text: statement})
			}
		}
		return fixedresult.New(columns, [][]any{{st.Key, *st.Value}})
	}
	var out [][]any
	for _, key := range slices.Sorted(maps.Keys(s.settings)) {
		if st.Key == "" || strings.EqualFold(st.Key, key) {
			out = append(out, []any{key, s.settings[key]})
		}
	}
	if st.Key != "" && out == nil {
		out = append(out, []any{st.Key, "<undefined>"})
	}
	return fixedresult.New(columns, out)
}

func (s *session) reset(ctx context.Context, key string) error {
	if key == "TIMEZONE" {
		if _, err := s.recordSetting(key, "UTC"); err != nil {
			return err
		}
	}
	maps.DeleteFunc(s.settings, func(k, _ string) bool { return strings.EqualFold(k, key) })
	if settings[key] == "" {
		return nil
	}
	_, err := s.queryTexts(ctx, "RESET "+settings[key])
	return s.databricksError(err, nil)
}
