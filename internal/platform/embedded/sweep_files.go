package embedded

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/gofrs/flock"
)

// sweep removes the uncommitted bytes of dead writers. A writer whose lock is held is
// alive, and its files stay. A writer whose lock can be taken is dead, because ids of
// writers are never reused. So every sweep removes all uncommitted bytes, for every
// sweepExtent.
func (f *fileSegments) sweep(ctx context.Context, stream string, _ sweepExtent) error {
	dir := streamDir(stream)
	files, err := os.ReadDir(f.path(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	lengths, err := committedLengths(ctx, f.db.Read(), stream)
	if err != nil {
		return err
	}
	uncommitted := map[string][]string{}
	for _, file := range files {
		writer, _, ok := strings.Cut(file.Name(), "-")
		info, err := file.Info()
		if err != nil || !ok || !strings.HasSuffix(file.Name(), segmentSuffix) {
			continue
		}
		if length, known := lengths[path.Join(dir, file.Name())]; !known || info.Size() > length {
			uncommitted[writer] = append(uncommitted[writer], file.Name())
		}
	}
	for writer, names := range uncommitted {
		if err := f.sweepWriter(ctx, writer, dir, names); err != nil {
			return err
		}
	}
	return nil
}

func committedLengths(ctx context.Context, q queryer, stream string) (map[string]int64, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT s.file, coalesce(max(x.start + x.length), 0) FROM segments s LEFT JOIN extents x ON x.segment = s.id
		WHERE s.stream = ? GROUP BY s.id`, stream)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	lengths := map[string]int64{}
	for rows.Next() {
		var file string
		var length int64
		if err := rows.Scan(&file, &length); err != nil {
			return nil, err
		}
		lengths[file] = length
	}
	return lengths, rows.Err()
}

// sweepWriter truncates or removes the files of a writer, if the writer is dead.
func (f *fileSegments) sweepWriter(ctx context.Context, writer, dir string, names []string) error {
	f.mu.Lock()
	mine := writer == f.name
	f.mu.Unlock()
	if mine {
		return nil
	}
	l := flock.New(f.path(path.Join(writersDir, writer+".lock")), flock.SetPermissions(0o600))
	dead, err := l.TryLock()
	if err != nil || !dead {
		return err
	}
	defer func() {
		_ = os.Remove(l.Path())
		_ = l.Unlock()
	}()
	for _, name := range names {
		// The length is read again, because the writer may have committed before it
		// died.
		_, length, err := committed(ctx, f.db.Read(), path.Join(dir, name))
		if err != nil {
			return err
		}
		full := f.path(path.Join(dir, name))
		if length == 0 {
			err = os.Remove(full)
		} else {
			err = shorten(full, length)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// shorten truncates a file if it is longer than length.
func shorten(file string, length int64) error {
	info, err := os.Stat(file)
	if err != nil || info.Size() <= length {
		return err
	}
	return os.Truncate(file, length)
}
