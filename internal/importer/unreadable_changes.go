package importer

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// unreadableChanges adds errChangesGone to the error of changes that turn out to be
// unreadable, unless the definition reads nothing else.
func (r *run) unreadableChanges(err error) error {
	if !isUnreadableChanges(err) {
		return err
	}
	if r.imp.Spec.Changes == jobs.ChangesFeed {
		return feedMissing(r.snap.table.name, err)
	}
	return errors.Join(err, errChangesGone)
}

var (
	// feedClass matches the error classes of a feed that is not there, of a source that
	// has none, and of a statement that does not fit the feed's rows:
	// https://docs.databricks.com/aws/en/error-messages/error-classes
	feedClass = regexp.MustCompile(`^(DELTA_|DS_|UC_|UNRESOLVABLE_TABLE_VALUED_FUNCTION|UNRESOLVED_|INVALID_|UNSUPPORTED_|` +
		`ROW_COLUMN_ACCESS|ROW_LEVEL_SECURITY|PARSE_|FEATURE_NOT|DATATYPE_MISMATCH)`)
	// feedState matches the SQLSTATE of what fails each time: features that are not
	// supported, errors in the statement, and values that an expression refuses.
	feedState = regexp.MustCompile(`^(0A|22|42)`)
)

// isUnreadableChanges reports that the changes cannot be read, as far as the error tells.
// A missing right or a time-out is the same with every way of reading. An error of the
// warehouse itself, such as too little memory, says nothing about the feed: the run fails,
// and the next one reads the same changes. Rows that only the feed shows are not lost.
func isUnreadableChanges(err error) bool {
	if !isRefused(err) {
		return false
	}
	e, ok := errors.AsType[*databricks.StatementError](err)
	return !ok || errors.Is(err, errSnapshotGone) || errors.Is(err, errNoHistory) ||
		e.Class == "" || feedClass.MatchString(e.Class) || feedState.MatchString(e.SQLState)
}

// isRefused reports that the warehouse refused a statement, for another reason than a
// missing right.
func isRefused(err error) bool {
	if errors.Is(err, errSnapshotGone) || errors.Is(err, errNoHistory) {
		return true
	}
	for _, same := range []jobs.Code{jobs.CodeUnreachable, jobs.CodeForbidden, jobs.CodeTimeout, jobs.CodeCancelled} {
		if jobs.IsCode(err, same) {
			return false
		}
	}
	return isStatementError(err) && !databricks.IsSessionLost(err) && !databricks.IsServerFailure(err)
}

// feedMissing is the error of an import that reads nothing but the feed.
func feedMissing(table jobs.TableName, err error) error {
	e, ok := errors.AsType[*databricks.StatementError](err)
	if !ok || !isUnreadableChanges(err) {
		return err
	}
	const once = "set changes to \"auto\" for one run: it compares with the last run's version, and the feed is read again after it"
	next := strings.ToUpper(once[:1]) + once[1:]
	switch {
	case strings.HasPrefix(e.Class, "DELTA_MISSING_CHANGE_DATA"):
		next = fmt.Sprintf("Switch the feed on: ALTER TABLE %s SET TBLPROPERTIES (delta.enableChangeDataFeed = true). "+
			"A statement that replaces the table has to set the property as well. Then %s", table, once)
	case strings.HasPrefix(e.Class, "DELTA_CHANGE_DATA_FILE_NOT_FOUND"), errors.Is(err, errSnapshotGone):
		next = "Changes that were not read yet are removed by VACUUM: run the job more often, or keep deleted files longer " +
			"(delta.deletedFileRetentionDuration). Then " + once
	}
	return feedError(table, firstSentence(err), e.Message, next, err)
}

func feedError(table jobs.TableName, why, detail, next string, err error) error {
	return &jobs.Error{Code: jobs.CodeInvalid, Attribute: "changes", Err: err, Detail: detail, Next: next,
		Summary: fmt.Sprintf("The change data feed of %s cannot be read: %s", table, why)}
}
