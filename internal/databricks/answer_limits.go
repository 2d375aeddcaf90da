package databricks

import (
	"errors"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

const (
	// maxAnswer is the largest answer of the warehouse, and the largest file of a result,
	// in bytes after inflating. Pages and files are requested with a third of it
	// (pageBytes), and up to five of them are in memory.
	maxAnswer = 64 << 20
	// maxTransfer limits the time of an answer or a file, beyond the time until it begins.
	// A byte now and then keeps every other limit.
	maxTransfer = 10 * time.Minute
)

// answerLimits are the limits of an answer of the warehouse, or of a file of a result, that
// begins within a time. The transport limits the silence, because its length decides whether
// the request is sent again.
func answerLimits(begins time.Duration) egress.Limits {
	return egress.Limits{Bytes: maxAnswer, Total: begins + maxTransfer}
}

// The limits of the workspace's other answers.
var (
	// tokenLimits: an access token has a few kilobytes. The HTTP client limits the time.
	tokenLimits = egress.Limits{Bytes: 256 << 10, Values: 1000}
	// catalogLimits: Unity Catalog gives about a thousand entries in a page, with up to a
	// few kilobytes and about 50 values each. A table has up to about 10,000 columns,
	// with about a kilobyte and a dozen values each.
	catalogLimits = egress.Limits{Bytes: 32 << 20, Values: 250_000, Silence: 2 * time.Minute, Total: 5 * time.Minute}
	// directoryLimits: a page of a directory has up to 1,000 entries, with a path of up to
	// 4 kilobytes and six values each. filesTimeout limits the time.
	directoryLimits = egress.Limits{Bytes: 16 << 20, Values: 100_000}
	// fileLimits: Files.Read is for small files, whose content is kept in memory.
	// filesTimeout limits the time.
	fileLimits = egress.Limits{Bytes: 16 << 20}
)

const (
	// listTimeout limits the time of all pages of a list.
	listTimeout = 10 * time.Minute
	// maxListPages limits the number of pages, which have up to 1,000 entries.
	maxListPages = 10_000
	// maxListBytes limits the memory of a list in bytes: about 300,000 tables with
	// comments, or a million files.
	maxListBytes = 64 << 20
	// entryBytes is the memory of an entry without its texts, in bytes.
	entryBytes = 96
)

// pages returns the limits of a new list.
func pages() *egress.Pages { return &egress.Pages{Most: maxListPages, Bytes: maxListBytes} }

// beyondLimit returns the error of an answer or a list that exceeds a limit; nil for other
// errors.
func (w *Warehouse) beyondLimit(err error) *jobs.Error {
	answer, isAnswer := errors.AsType[*egress.AnswerError](err)
	list, isList := errors.AsType[*egress.PagesError](err)
	e := &jobs.Error{Code: jobs.CodeFailed, Attribute: "host", Err: err,
		Next: "Check that host is the workspace's address, and which proxies are on the way. " +
			"Where the workspace really has that much, report this as a limit of this release."}
	switch {
	case isAnswer && answer.Late:
		e.Code, e.Summary, e.Detail = jobs.CodeTimeout, fmt.Sprintf("An answer of %s does not end", w.name), answer.Error()
		e.Next = "Check that host is the workspace's address, and which proxies are on the way; then run it again."
	case isAnswer:
		e.Summary, e.Detail = fmt.Sprintf("An answer of %s is larger than its API describes", w.name), answer.Error()
	case isList:
		e.Summary, e.Detail = fmt.Sprintf("A list of %s does not end", w.name), list.Error()
	default:
		return nil
	}
	return e
}
