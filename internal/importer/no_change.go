package importer

import "github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"

// mostCommits is how many commits are looked at for one that changes rows. More are
// taken for a change: reading them would cost as much as comparing.
const mostCommits = 100

// noChangeOperations are the operations that leave every row as it is, as DESCRIBE
// HISTORY names them. An operation that is not known here may have changed rows:
// https://docs.databricks.com/aws/en/delta/history#operation-metrics-keys
var noChangeOperations = map[string]bool{
	"OPTIMIZE": true, "VACUUM START": true, "VACUUM END": true, "REORG": true, "CLUSTER BY": true,
	"SET TBLPROPERTIES": true, "UNSET TBLPROPERTIES": true, "ADD COLUMNS": true, "ADD CONSTRAINT": true, "DROP CONSTRAINT": true,
	"UPGRADE PROTOCOL": true, "ADD FEATURE": true, "DROP FEATURE": true,
}

// rowMetrics are the metrics of an operation that counts the rows that it changed:
// where each of them is given and 0, it changed none.
var rowMetrics = map[string][]string{
	"DELETE": {"numDeletedRows"},
	"UPDATE": {"numUpdatedRows"},
	"MERGE":  {"numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted"},
}

// changesNoRow reports whether a commit is proven to leave every row as it is.
func changesNoRow(c databricks.Commit) bool {
	if noChangeOperations[c.Operation] {
		return true
	}
	metrics := rowMetrics[c.Operation]
	for _, m := range metrics {
		if c.Metrics[m] != "0" {
			return false
		}
	}
	return len(metrics) > 0
}

// changeNoRow reports whether the commits have each commit after a version, up to another
// one, and each is proven to leave every row as it is.
func changeNoRow(commits []databricks.Commit, after, upTo int64) bool {
	seen := int64(0)
	for _, c := range commits {
		switch {
		case c.Version > upTo: // committed meanwhile
		case c.Version <= after:
		case !changesNoRow(c):
			return false
		default:
			seen++
		}
	}
	return seen == upTo-after
}
