package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// backupAttempts is the number of attempts at a backup during which an erasure removes
// segments.
const backupAttempts = 3

// Backup copies a snapshot of a data directory's store into a new directory. The
// store may be in use. The backup holds customer data and sealed secrets, but not the
// key that opens them. It holds no profiles, because they are rebuilt from the events.
func Backup(ctx context.Context, from Location, dir string) (Copied, error) {
	if !from.DatabaseURL.Empty() {
		return Copied{}, &jobs.Error{
			Code:      jobs.CodeInvalid,
			Attribute: "database_url",
			Summary:   "A store in PostgreSQL is not backed up by this command",
			Detail:    "PostgreSQL's own tools make a consistent backup of a database of any size.",
			Next: "Run pg_dump --schema=" + schemaName + " and keep the bucket's objects, or copy the store into a data directory while " +
				"no runner is running",
		}
	}
	return retry.Do(ctx, retry.Policy{Attempts: backupAttempts}, func(int) (Copied, error) {
		return fillNewDir(ctx, dir, func(staged string) (Copied, error) {
			return Copy(ctx, from, Location{Dir: staged}, CopyOptions{Live: true})
		})
	}, func(_ int, err error) retry.Decision {
		// An erasure rewrote a segment and removed the old file.
		return retry.If(errors.Is(err, fs.ErrNotExist) && !jobs.IsCode(err, jobs.CodeStore))
	})
}

// Restore creates a data directory from a backup. It never overwrites a store.
func Restore(ctx context.Context, backup, dir string) (Copied, error) {
	if _, err := os.Stat(filepath.Join(dir, fileName)); err == nil {
		return Copied{}, &jobs.Error{
			Code: jobs.CodeConflict, Attribute: "data_dir", Summary: "There is a store at " + dir + " already",
			Detail: "A backup is never restored over a store, because everything written since the backup would be lost.",
			Next:   "Move that directory away, or restore into another directory and set data_dir to it",
		}
	}
	return fillNewDir(ctx, dir, func(staged string) (Copied, error) {
		return Copy(ctx, Location{Dir: backup}, Location{Dir: staged}, CopyOptions{})
	})
}

// fillNewDir runs fill on a directory beside dir, and renames it to dir when it is
// complete. If the process is killed, it leaves no directory that looks like a store.
func fillNewDir(ctx context.Context, dir string, fill func(staged string) (Copied, error)) (Copied, error) {
	left, err := os.ReadDir(dir)
	if err == nil && len(left) > 0 {
		return Copied{}, &jobs.Error{
			Code:    jobs.CodeConflict,
			Summary: fmt.Sprintf("%s is not empty", dir),
			Detail: fmt.Sprintf(
				"It holds %s, for example.",
				left[0].Name(),
			),
			Next: "Name a directory that does not exist or is empty; nothing was changed",
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Copied{}, (&DB{place: dir}).failed("Cannot read the directory", err)
	}
	staged := filepath.Clean(dir) + ".incomplete"
	if err := os.RemoveAll(staged); err != nil {
		return Copied{}, (&DB{place: dir}).failed("Cannot remove the files of an earlier attempt", err)
	}
	done, err := fill(staged)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && left == nil {
		err = os.Rename(staged, dir)
	} else if err == nil {
		if err = os.Remove(dir); err == nil {
			err = os.Rename(staged, dir)
		}
	}
	if err != nil {
		return Copied{}, errors.Join((&DB{place: dir}).failed("Cannot make the copy", err), os.RemoveAll(staged))
	}
	return done, nil
}
