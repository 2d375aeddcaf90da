package failingdisk

import (
	"errors"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite reaches its files through tables of functions, its virtual file system. The
// default one is copied here with a function for opening of our own, which gives the
// files below a watched directory a table whose changes ask their disk first. Files
// elsewhere keep SQLite's table.

var (
	installed struct {
		once sync.Once
		err  error
	}
	// original is SQLite's own virtual file system.
	original *sqlite3.Tsqlite3_vfs
	// files are the open files below watched directories, by SQLite's pointer.
	files sync.Map
)

// file is an open file of SQLite.
type file struct {
	disk    *Disk
	path    string
	methods *sqlite3.Tsqlite3_io_methods
}

// install makes the copy the default of the databases that are opened from then on.
func install() error {
	installed.once.Do(func() {
		tls := libc.NewTLS()
		defer tls.Close()
		found := sqlite3.Xsqlite3_vfs_find(tls, 0)
		size := unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})
		changed := libc.Xmalloc(tls, libc.Tsize_t(size))
		if found == 0 || changed == 0 {
			installed.err = errors.New("SQLite's file system cannot be wrapped")
			return
		}
		original = at[sqlite3.Tsqlite3_vfs](found)
		v := at[sqlite3.Tsqlite3_vfs](changed)
		*v = *original
		name, err := libc.CString("failingdisk")
		if err != nil {
			installed.err = err
			return
		}
		v.FzName, v.FpNext = name, 0
		v.FxOpen, v.FxDelete = pointer(open), pointer(remove)
		if rc := sqlite3.Xsqlite3_vfs_register(tls, changed, 1); rc != sqlite3.SQLITE_OK {
			installed.err = errors.New("SQLite does not take the wrapped file system")
		}
	})
	return installed.err
}

// at reads a pointer of SQLite's.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// pointer returns a function pointer for SQLite. f is a function of the package, which
// never moves.
func pointer(f any) uintptr { return (*[2]uintptr)(unsafe.Pointer(&f))[1] }

// call makes a function of one of SQLite's pointers.
func call[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&struct{ uintptr }{p})) }

func open(tls *libc.TLS, vfs, name, handle uintptr, flags int32, outFlags uintptr) int32 {
	path := ""
	if name != 0 {
		path = libc.GoString(name)
	}
	disk := diskOf(path)
	if disk != nil && flags&sqlite3.SQLITE_OPEN_CREATE != 0 {
		switch disk.before("open", path) {
		case IOError, IOErrorAfter:
			return sqlite3.SQLITE_IOERR
		case Full:
			return sqlite3.SQLITE_FULL
		case Kill:
			killSelf()
		}
	}
	type opener = func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32
	rc := call[opener](original.FxOpen)(tls, vfs, name, handle, flags, outFlags)
	table := at[sqlite3.Tsqlite3_file](handle)
	if rc != sqlite3.SQLITE_OK || disk == nil || table.FpMethods == 0 {
		return rc
	}
	f := &file{disk, path, at[sqlite3.Tsqlite3_io_methods](table.FpMethods)}
	files.Store(handle, f)
	table.FpMethods = wrapped(tls, table.FpMethods)
	return rc
}

var (
	wrappedMu     sync.Mutex
	wrappedTables = map[uintptr]uintptr{}
)

// wrapped returns the changed copy of a table of functions for files.
func wrapped(tls *libc.TLS, table uintptr) uintptr {
	wrappedMu.Lock()
	defer wrappedMu.Unlock()
	if p, ok := wrappedTables[table]; ok {
		return p
	}
	p := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
	m := at[sqlite3.Tsqlite3_io_methods](p)
	*m = *at[sqlite3.Tsqlite3_io_methods](table)
	m.FxClose, m.FxWrite, m.FxTruncate, m.FxSync = pointer(closeFile), pointer(write), pointer(truncate), pointer(syncFile)
	if m.FxShmMap != 0 {
		m.FxShmMap = pointer(mapShared)
	}
	wrappedTables[table] = p
	return p
}

func fileOf(handle uintptr) *file {
	f, _ := files.Load(handle)
	found, _ := f.(*file)
	return found
}

func closeFile(tls *libc.TLS, handle uintptr) int32 {
	f := fileOf(handle)
	files.Delete(handle)
	return call[func(*libc.TLS, uintptr) int32](f.methods.FxClose)(tls, handle)
}

func write(tls *libc.TLS, handle, data uintptr, amount int32, offset int64) int32 {
	f := fileOf(handle)
	do := call[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](f.methods.FxWrite)
	switch f.disk.before("write", f.path) {
	case IOError:
		return sqlite3.SQLITE_IOERR_WRITE
	case IOErrorAfter:
		_ = do(tls, handle, data, amount, offset)
		return sqlite3.SQLITE_IOERR_WRITE
	case Full:
		_ = do(tls, handle, data, amount/2, offset)
		return sqlite3.SQLITE_FULL
	case Kill:
		_ = do(tls, handle, data, amount/2, offset)
		killSelf()
	}
	return do(tls, handle, data, amount, offset)
}

// change makes a change that happens whole or not at all.
func (f *file) change(operation string, code int32, do func() int32) int32 {
	switch f.disk.before(operation, f.path) {
	case IOError:
		return code
	case IOErrorAfter:
		_ = do()
		return code
	case Full:
		return sqlite3.SQLITE_FULL
	case Kill:
		killSelf()
	}
	return do()
}

func truncate(tls *libc.TLS, handle uintptr, size int64) int32 {
	f := fileOf(handle)
	return f.change("truncate", sqlite3.SQLITE_IOERR_TRUNCATE, func() int32 {
		return call[func(*libc.TLS, uintptr, int64) int32](f.methods.FxTruncate)(tls, handle, size)
	})
}

func syncFile(tls *libc.TLS, handle uintptr, flags int32) int32 {
	f := fileOf(handle)
	return f.change("sync", sqlite3.SQLITE_IOERR_FSYNC, func() int32 {
		return call[func(*libc.TLS, uintptr, int32) int32](f.methods.FxSync)(tls, handle, flags)
	})
}

// mapShared maps the index of the write-ahead log, and makes its file longer.
func mapShared(tls *libc.TLS, handle uintptr, region, size, extend int32, out uintptr) int32 {
	f := fileOf(handle)
	do := func() int32 {
		return call[func(*libc.TLS, uintptr, int32, int32, int32, uintptr) int32](f.methods.FxShmMap)(tls, handle, region, size, extend, out)
	}
	if extend == 0 {
		return do()
	}
	return f.change("map", sqlite3.SQLITE_IOERR_SHMSIZE, do)
}

func remove(tls *libc.TLS, vfs, name uintptr, syncDir int32) int32 {
	do := func() int32 {
		return call[func(*libc.TLS, uintptr, uintptr, int32) int32](original.FxDelete)(tls, vfs, name, syncDir)
	}
	path := libc.GoString(name)
	disk := diskOf(path)
	if disk == nil {
		return do()
	}
	return (&file{disk: disk, path: path}).change("remove", sqlite3.SQLITE_IOERR_DELETE, do)
}
