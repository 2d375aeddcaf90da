//go:build !windows

package ownership

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// Directory checks a directory: it belongs to this user or to root, and no other user
// may write to it, or put another one in its place (see parents). Its links are followed.
// A missing directory is no error; its parents are checked.
func Directory(path string) error {
	if err := parents(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return ignoreMissing(err)
	}
	return check(path, info, 0o022, "go-w")
}

// PrivateFile checks a file with a secret: it belongs to this user or to root, and no
// other user may read or write it, or put another one in its place (see parents). A file
// of root may be readable for a group of this user, as files are that a service manager
// mounts. A missing file is no error; its parents are checked.
func PrivateFile(path string) error {
	if err := parents(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return ignoreMissing(err)
	}
	forbidden := fs.FileMode(0o077)
	if owner(info) == 0 && os.Geteuid() != 0 {
		forbidden = 0o037
	}
	return check(path, info, forbidden, "go-rwx")
}

func ignoreMissing(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

func owner(info fs.FileInfo) int {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid)
	}
	return -1
}

func groupOf(info fs.FileInfo) int {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Gid)
	}
	return -1
}

// access are the permissions that other users have.
//
// In a pod of Kubernetes these are fewer than the mode says: with fsGroup, the kubelet
// gives the pod's group write access to everything on a volume, and an emptyDir has mode
// 0777. The groups of this process are then the pod's, and a volume is in the hands of
// the containers that mount it, which the author of the pod chose. So the permissions of
// a group of this process do not count, nor does write access to the root of a volume.
func access(path string, info fs.FileInfo) fs.FileMode {
	mode := info.Mode().Perm() & 0o077
	if os.Getenv("KUBERNETES_SERVICE_HOST") == "" { // each container of a pod has it
		return mode
	}
	groups, err := os.Getgroups()
	if gid := groupOf(info); gid == os.Getegid() || err == nil && slices.Contains(groups, gid) {
		mode &^= 0o070
	}
	if owner(info) == 0 && isMountPoint(path) {
		mode &^= 0o022
	}
	return mode
}

func check(path string, info fs.FileInfo, forbidden fs.FileMode, change string) error {
	if uid := owner(info); !trusted(uid) {
		return &Error{
			Path: path, Why: fmt.Sprintf("it belongs to user %d (mode %#o), and this process "+
				"runs as user %d", uid, info.Mode().Perm(), os.Geteuid()),
			Fix: fmt.Sprintf("chown %d %q", os.Geteuid(), path),
		}
	}
	if access(path, info)&forbidden != 0 {
		return &Error{
			Path: path, Why: fmt.Sprintf("other users have access (owner %d, mode %#o)", owner(info), info.Mode().Perm()),
			Fix: fmt.Sprintf("chmod %s %q", change, path),
		}
	}
	return nil
}

// trusted reports whether a user is this one, or root, who can do everything anyway.
func trusted(uid int) bool { return uid == os.Geteuid() || uid == 0 }
