package importer

import (
	"context"
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// A table that is dropped and created again, or replaced by a renamed one, counts its
// versions anew under the same name. The time of a version's commit tells the two tables
// apart. CREATE OR REPLACE TABLE goes on with the versions and keeps the times.

// microsOfCommit is when a version was committed; 0 if unknown.
func microsOfCommit(c databricks.Commit) int64 {
	if c.At.IsZero() {
		return 0
	}
	return c.At.UnixMicro()
}

// ofAnotherTable reports that a version is not of the table with these commits, the newest of
// which comes first: they end before it, or one of them has its number and another time.
// committedAt is the version's time; 0 if unknown.
func ofAnotherTable(commits []databricks.Commit, version, committedAt int64) bool {
	if len(commits) == 0 {
		return false
	}
	for _, c := range commits {
		if at := microsOfCommit(c); c.Version == version && at != 0 && committedAt != 0 && at != committedAt {
			return true
		}
	}
	return commits[0].Version < version
}

// sinceLastRun returns the commits from the version of the last run to the newest one, newest
// first, as far as they are needed to tell whether the table is the same and has the same
// rows. rows is set if the rows are read in any case.
func (r *run) sinceLastRun(ctx context.Context, newest databricks.Commit, rows bool) ([]databricks.Commit, error) {
	l := r.cursor.LastCompared
	known, distance := l.CommittedAt != 0, newest.Version-*l.TableVersion
	if distance <= 0 || !known && (rows || distance > mostCommits) {
		return []databricks.Commit{newest}, nil
	}
	return r.src.commitsSince(ctx, *l.TableVersion, newest.Version)
}

// checkPinnedTable fails with errSnapshotGone if the pinned version is one of another table
// of the same name. A copy is read whatever became of its table.
func (r *run) checkPinnedTable(ctx context.Context) error {
	p := r.cursor.Pinned
	if p.TableVersion == nil || p.Copy != "" || p.CommittedAt == 0 {
		return nil
	}
	commits, err := r.src.commitsSince(ctx, *p.TableVersion, *p.TableVersion)
	if err != nil || !ofAnotherTable(commits, *p.TableVersion, p.CommittedAt) {
		return err
	}
	return &jobs.Error{Code: jobs.CodeFailed, Err: errSnapshotGone,
		Summary: fmt.Sprintf("%s is another table than the one that the run began with", r.snap.table.name),
		Detail: fmt.Sprintf("Version %d was committed at another time: the table was dropped or renamed, and another one got its name.",
			*p.TableVersion),
		Next: "Run the job again when the table is no longer exchanged: what was sent is kept, and the new table's rows are compared with it"}
}
