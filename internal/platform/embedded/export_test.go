package embedded

import (
	"context"
	"path"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest/failingdisk"
)

// LimitMemory makes batches small, and caches nothing between them.
func LimitMemory(p *Platform, events int) {
	p.limits.batchEvents, p.limits.cachedBytes, p.limits.cachedIdentities = events, 0, 0
	// The identities of some batches are written together.
	p.limits.unwrittenBytes = 4*fewestSlots + 3*events*usualRecord
}

// CommitEachBatch makes a first build commit each batch, too.
func CommitEachBatch(p *Platform) { p.limits.unwrittenBytes = 0 }

// LimitIdentities sets the largest number of identities of one user.
func LimitIdentities(p *Platform, n int) { p.limits.identities = n }

// UploadOnly uploads a segment without committing it, as an append does whose process
// is killed.
func UploadOnly(ctx context.Context, p *Platform, stream, content string) error {
	writer, err := p.segments.writerName(ctx)
	if err != nil {
		return err
	}
	f, err := p.segments.create(ctx, stream, path.Join(streamDir(stream), writer+"-dead"+segmentSuffix))
	if err != nil {
		return err
	}
	if _, err := f.WriteAt([]byte(content), 0); err != nil {
		return err
	}
	return f.Sync()
}

// WatchSegments lets a disk decide about each change of the segments, which end at the
// given size.
func WatchSegments(p *Platform, d *failingdisk.Disk, size int64) {
	files, ok := p.segments.(*fileSegments)
	if !ok {
		panic("the segments are no files")
	}
	create := files.makeFile
	files.limit = size
	files.makeFile = func(path string) (segmentFile, error) {
		return d.Create(path, func() (failingdisk.Handle, error) { return create(path) })
	}
}
