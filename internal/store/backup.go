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

// backupAttempts is how often a backup is begun that an erasure came between.
const backupAttempts = 3

// Backup copies the store of a data directory into a directory that is not
// there, while it is in use: the copy is the store at one moment. It holds
// customer data and sealed secrets, and not the key that opens them. Profiles
// are not in it: they are made again from the events.
func Backup(ctx context.Context, from Location, dir string) (Copied, error) {
	if !from.DatabaseURL.Empty() {
		return Copied{}, &jobs.Error{
			Code: jobs.CodeInvalid, Attribute: "database_url", Summary: "A store in PostgreSQL is not backed up by this command",
			Detail: "PostgreSQL has its own means, which copy a database of any size at one moment.",
			Next:   "Run pg_dump --schema=" + schemaName + " and keep the bucket's objects, or copy the store into a data directory while no runner is running",
		}
	}
	return retry.Do(ctx, retry.Policy{Attempts: backupAttempts}, func(int) (Copied, error) {
		return intoNew(ctx, dir, func(staged string) (Copied, error) {
			return Copy(ctx, from, Location{Dir: staged}, CopyOptions{Live: true})
		})
	}, func(_ int, err error) retry.Decision {
		// A segment that was written again without somebody's events is gone.
		return retry.If(errors.Is(err, fs.ErrNotExist) && !jobs.IsCode(err, jobs.CodeStore))
	})
}

// Restore makes a data directory from a backup. It never writes over a store.
func Restore(ctx context.Context, backup, dir string) (Copied, error) {
	if _, err := os.Stat(filepath.Join(dir, fileName)); err == nil {
		return Copied{}, &jobs.Error{
			Code: jobs.CodeConflict, Attribute: "data_dir", Summary: "There is a store at " + dir + " already",
			Detail: "A backup is never restored over a store: what it gained since would be gone without a trace.",
			Next:   "Move that directory away, or restore into another one and point data_dir at it",
		}
	}
	return intoNew(ctx, dir, func(staged string) (Copied, error) {
		return Copy(ctx, Location{Dir: backup}, Location{Dir: staged}, CopyOptions{})
	})
}

// intoNew runs fill on a directory beside dir, and gives it dir's name when it
// is complete: what was killed leaves nothing that looks like a store.
func intoNew(ctx context.Context, dir string, fill func(staged string) (Copied, error)) (Copied, error) {
	left, err := os.ReadDir(dir)
	if err == nil && len(left) > 0 {
		return Copied{}, &jobs.Error{
			Code: jobs.CodeConflict, Summary: fmt.Sprintf("%s is not empty", dir),
			Detail: fmt.Sprintf("It holds %s, among others.", left[0].Name()), Next: "Name a directory that is not there; nothing was changed",
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Copied{}, (&DB{place: dir}).failed("Cannot read the directory", err)
	}
	staged := filepath.Clean(dir) + ".incomplete"
	if err := os.RemoveAll(staged); err != nil {
		return Copied{}, (&DB{place: dir}).failed("Cannot remove what an earlier attempt left", err)
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
