package spark

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/hive"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rewrite"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// ErrLost is the error when Spark, or the session in it, no longer exists. The next
// session starts Spark again. Clients recognize an ended session by its text.
var ErrLost = errors.New("Invalid SessionHandle: the Spark behind this warehouse has ended or forgot the session")

var (
	prefixes  = regexp.MustCompile(`^(?:org\.apache\.hive\.service\.cli\.HiveSQLException: |Error running query: )+`)
	exception = regexp.MustCompile(`^(?:\[([A-Z0-9_.]+)\] )?([a-zA-Z_][\w.$]*(?:Exception|Error|Throwable)\w*): ?`)
	class     = regexp.MustCompile(`\[([A-Z_][A-Z0-9_]*(?:\.[A-Z0-9_]+)*)\] ?`)
	state     = regexp.MustCompile(`\s*SQLSTATE: ([0-9A-Z]{5})`)
	position  = regexp.MustCompile(`^ \(line (\d+), pos (\d+)\)`)
)

// wrapperClasses are error classes that only wrap the error with the reason.
var wrapperClasses = map[string]bool{"TASK_WRITE_FAILED": true, "JOB_ABORTED": true, "FAILED_EXECUTE_UDF": true}

// classAliases gives the Databricks class for a class or an exception name (a part
// of it) of Spark and Delta.
var classAliases = []struct{ found, class, state string }{
	{"_LEGACY_ERROR_TEMP_DELTA_0007", "DELTA_METADATA_MISMATCH", "42KDG"},
	{"VersionNotFoundException", "DELTA_VERSION_NOT_FOUND", "22003"},
	{"TimestampEarlierThanCommitRetentionException", "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION", "42816"},
	{"TemporallyUnstableInputException", "DELTA_TIMESTAMP_GREATER_THAN_COMMIT", "42816"},
	{"DELTA_READ_TABLE_WITHOUT_COLUMNS", "DELTA_READ_TABLE_WITHOUT_COLUMNS", "428GU"},
}

// databricksError converts an error to Databricks' form.
func (s *session) databricksError(err error, st *rewrite.Statement) error {
	var refused *hive.ServerError
	var lost *hive.LostError
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &lost):
		return fmt.Errorf("%w: %w", ErrLost, err)
	case errors.As(err, &refused):
		shaped := parseServerError(refused, st)
		if shaped.Class == internalError {
			s.engine.logUnclassified(refused.Message)
		}
		shaped.Message = s.engine.names.UserText(shaped.Message)
		return s.missingCatalog(shaped, st)
	}
	return err
}

const internalError = "INTERNAL_ERROR"

// logUnclassified writes a message without an error class to unclassified.log.
// Clients see only its first line.
func (e *Engine) logUnclassified(text string) {
	file, err := os.OpenFile(filepath.Join(e.opts.DataDir, "unclassified.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = fmt.Fprintf(file, "%s %s\n\n", time.Now().UTC().Format(time.RFC3339), text)
	_ = file.Close()
}

// missingCatalog replaces Spark's SCHEMA_NOT_FOUND if the catalog does not exist.
func (s *session) missingCatalog(e *warehouse.Error, st *rewrite.Statement) error {
	if e.Class != "SCHEMA_NOT_FOUND" || st == nil {
		return e
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	known, err := s.catalogs(ctx)
	if err != nil {
		return e
	}
	for _, t := range st.Tables {
		if t.Parts == 3 && known[strings.ToLower(t.Catalog)] == nil {
			return sqlerror.CatalogNotFound(t.Catalog)
		}
	}
	for _, schema := range st.Schemas {
		if known[strings.ToLower(schema[0])] == nil {
			return sqlerror.CatalogNotFound(schema[0])
		}
	}
	return e
}

// parseServerError reads class, message and SQLSTATE from the server's message, a
// Java stack trace.
func parseServerError(refused *hive.ServerError, st *rewrite.Statement) *warehouse.Error {
	var first *warehouse.Error
	for _, part := range strings.Split(refused.Message, "\nCaused by: ") {
		part, _, _ = strings.Cut(part, "\n\tat ")
		e := parseException(prefixes.ReplaceAllString(part, ""), st)
		if e == nil {
			continue
		}
		if first == nil {
			first = e
		}
		if !wrapperClasses[e.Class] {
			if e.SQLState == "" {
				e.SQLState = refused.SQLState
			}
			if e.SQLState == "" {
				e.SQLState = "XX000"
			}
			return e
		}
	}
	if first == nil {
		text, _, _ := strings.Cut(prefixes.ReplaceAllString(refused.Message, ""), "\n\tat ")
		first = &warehouse.Error{Class: internalError, SQLState: "XX000", Message: strings.TrimSpace(text)}
	}
	return first
}

// parseException parses one exception of the chain; nil if it has no class.
func parseException(text string, st *rewrite.Statement) *warehouse.Error {
	e, name := &warehouse.Error{}, ""
	if m := exception.FindStringSubmatch(text); m != nil {
		e.Class, name = m[1], m[2]
		text = strings.TrimSpace(text[len(m[0]):])
	}
	if m := class.FindStringSubmatchIndex(text); m != nil && m[0] == 0 {
		e.Class, text = text[m[2]:m[3]], text[m[1]:]
	}
	for _, r := range classAliases {
		if e.Class == r.found || e.Class == "" && strings.Contains(name, r.found) {
			e.Class, e.SQLState = r.class, r.state
		}
	}
	if e.Class == "" {
		return nil
	}
	at := ""
	if m := state.FindStringSubmatchIndex(text); m != nil {
		e.SQLState = text[m[2]:m[3]]
		at = text[m[1]:]
		text = text[:m[0]]
	}
	e.Message = strings.TrimSpace(text)
	if m := position.FindStringSubmatch(at); m != nil {
		line, _ := strconv.Atoi(m[1]) // digits
		pos, _ := strconv.Atoi(m[2])
		if st != nil {
			line, pos = st.Position(line, pos)
		}
		e.Message += fmt.Sprintf(" (line %d, pos %d)", line, pos)
	}
	return e
}
