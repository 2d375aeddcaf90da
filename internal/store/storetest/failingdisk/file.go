package failingdisk

import (
	"io"
	"syscall"
)

// Handle is a file that is written at offsets: what the embedded platform needs of its
// segments.
type Handle interface {
	io.WriterAt
	io.Closer
	Sync() error
	Truncate(size int64) error
}

// File is a file on a disk that fails.
type File struct {
	Handle
	path string
	disk *Disk
}

// Create creates a file by create, which is a change too.
func (d *Disk) Create(path string, create func() (Handle, error)) (*File, error) {
	var f Handle
	err := d.change("create", path, func(whole bool) (err error) {
		if whole {
			f, err = create()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &File{f, path, d}, nil
}

// change makes a change, unless a fault hits it. whole is false if a fault lets only a
// part of the change happen.
func (d *Disk) change(operation, path string, do func(whole bool) error) error {
	switch d.before(operation, path) {
	case IOError:
		return syscall.EIO
	case IOErrorAfter:
		if err := do(true); err != nil {
			return err
		}
		return syscall.EIO
	case Full:
		_ = do(false)
		return syscall.ENOSPC
	case Kill:
		_ = do(false)
		killSelf()
	}
	return do(true)
}

// WriteAt writes, or a half.
func (f *File) WriteAt(b []byte, off int64) (n int, err error) {
	err = f.disk.change("write", f.path, func(whole bool) (err error) {
		if !whole {
			b = b[:len(b)/2]
		}
		n, err = f.Handle.WriteAt(b, off)
		return err
	})
	return n, err
}

// Sync syncs.
func (f *File) Sync() error {
	return f.disk.change("sync", f.path, func(whole bool) error {
		if !whole {
			return nil
		}
		return f.Handle.Sync()
	})
}

// Truncate truncates.
func (f *File) Truncate(size int64) error {
	return f.disk.change("truncate", f.path, func(whole bool) error {
		if !whole {
			return nil
		}
		return f.Handle.Truncate(size)
	})
}
