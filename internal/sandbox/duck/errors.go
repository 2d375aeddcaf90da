package duck

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// errorTranslations maps parts of DuckDB's messages to Databricks' errors, for errors
// that the binder cannot detect before the query runs.
var errorTranslations = []struct{ part, class, state, message string }{
	{
		"must appear in the GROUP BY clause",
		"MISSING_AGGREGATION",
		"42803",
		"A non-aggregating expression is based on columns which are not participating in the GROUP BY clause. Add the columns or the expression to the GROUP BY, aggregate the expression, or use \"any_value(expression)\" if you do not care which of the values within a group is returned.",
	},
	{
		"More than one row returned by a subquery",
		"SCALAR_SUBQUERY_TOO_MANY_ROWS",
		"21000",
		"More than one row returned by a subquery used as an expression.",
	},
	{"Map keys must be unique", "DUPLICATED_MAP_KEY", "23505", "Duplicate map key was found, please check the input data."},
	{"Map keys can not be NULL", "NULL_MAP_KEY", "2200E", "Cannot use null as map key."},
	{
		"of DECIMAL(",
		"NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
		"22003",
		"%s If necessary set \"ansi_mode\" to \"false\" to bypass this error, and return NULL instead.",
	},
	{
		"Overflow in",
		"ARITHMETIC_OVERFLOW",
		"22003",
		"%s. Use 'try_' functions to tolerate overflow and return NULL instead. If necessary set \"ansi_mode\" to \"false\" to bypass this error.",
	},
	{
		"to type DECIMAL",
		"NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
		"22003",
		"%s If necessary set \"ansi_mode\" to \"false\" to bypass this error, and return NULL instead.",
	},
	{
		"Could not cast value",
		"NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
		"22003",
		"%s If necessary set \"ansi_mode\" to \"false\" to bypass this error, and return NULL instead.",
	},
	{
		"Type INT128 with value",
		"ARITHMETIC_OVERFLOW",
		"22003",
		"long overflow. Use 'try_' functions to tolerate overflow and return NULL instead. If necessary set \"ansi_mode\" to \"false\" to bypass this error.",
	},
	{"out of range for the destination type", "CAST_OVERFLOW", "22003", "%s. Use `try_cast` to tolerate overflow and return NULL instead."},
	{"out of range", "ARITHMETIC_OVERFLOW", "22003", "%s"},
	{
		"onflict on",
		"DELTA_CONCURRENT_WRITE",
		"2D521",
		"ConcurrentWriteException: A concurrent transaction has changed the same objects. Please try the operation again.",
	},
	{
		"ransaction conflict",
		"DELTA_CONCURRENT_WRITE",
		"2D521",
		"ConcurrentWriteException: A concurrent transaction has changed the same objects. Please try the operation again.",
	},
	{
		"write-write conflict",
		"DELTA_CONCURRENT_WRITE",
		"2D521",
		"ConcurrentWriteException: A concurrent transaction has changed the same objects. Please try the operation again.",
	},
	{
		"window functions are not allowed in",
		"INVALID_WHERE_CONDITION",
		"42903",
		"Window functions are not allowed here. Rewrite the query to avoid them.",
	},
	{"Out of Memory", "INSUFFICIENT_RESOURCES", "53200", "%s"},
	{"No space left on device", "INSUFFICIENT_RESOURCES", "53100", "%s"},
	{"invalid perl operator", "INVALID_PARAMETER_VALUE.PATTERN", "22023", "The regular expression is not supported in this sandbox: %s"},
	{"missing argument to repetition operator", "INVALID_PARAMETER_VALUE.PATTERN", "22023", "The regular expression is invalid: %s"},
}

// databricksError converts an error to Databricks' form.
func databricksError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var shaped *warehouse.Error
	if errors.As(err, &shaped) {
		return shaped
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	text := err.Error()
	if i := strings.LastIndex(text, bind.ErrorMarker); i >= 0 {
		parts := strings.SplitN(text[i+len(bind.ErrorMarker):], "|", 3)
		if len(parts) == 3 {
			return sqlerror.New(parts[0], parts[1], "%s", parts[2])
		}
	}
	for _, k := range errorTranslations {
		if strings.Contains(text, k.part) {
			message := k.message
			if strings.Contains(message, "%s") {
				message = fmt.Sprintf(message, strings.TrimSuffix(firstLine(text), "!"))
			}
			return sqlerror.New(k.class, k.state, "%s", message)
		}
	}
	return sqlerror.New("INTERNAL_ERROR", "XX000", "%s", text)
}

// firstLine removes DuckDB's prefix, and the query that DuckDB repeats.
func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if _, rest, ok := strings.Cut(s, "Error: "); ok {
		return rest
	}
	return s
}
