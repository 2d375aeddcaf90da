package ownership

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// hasAccessList reports whether a directory has a POSIX access list.
func hasAccessList(dir string) bool {
	n, err := unix.Lgetxattr(dir, "system.posix_acl_access", nil)
	return err == nil && n > 0
}

// isMountPoint reports whether a directory is the root of a file system that is mounted
// there.
func isMountPoint(dir string) bool {
	var s unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, dir, 0, unix.STATX_TYPE, &s); err == nil && s.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT != 0 {
		return s.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
	}
	// Before Linux 5.8 only the change of the device shows it.
	var here, above unix.Stat_t
	return unix.Stat(dir, &here) == nil && unix.Stat(filepath.Join(dir, ".."), &above) == nil && here.Dev != above.Dev
}

// unmapped reports whether a user stands for all that do not exist in the user namespace
// of this process. In such a namespace, as sandboxes make it, even / belongs to that user,
// and nobody can change it.
func unmapped(uid int) bool { return uid == strangers() }

var strangers = sync.OnceValue(func() int {
	ids, err := os.ReadFile("/proc/self/uid_map")
	if err != nil || strings.Join(strings.Fields(string(ids)), " ") == "0 0 4294967295" {
		return -2 // all users exist
	}
	text, _ := os.ReadFile("/proc/sys/fs/overflowuid")
	uid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return -2
	}
	return uid
})
