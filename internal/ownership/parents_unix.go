//go:build !windows

package ownership

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxLinks bounds the symbolic links of a path, as operating systems do.
const maxLinks = 40

// parents checks every directory and link on the way to a path: who may write one of
// them can put something else in the place of what is below it. The path itself is not
// checked. What does not exist yet is made by this user, below what was checked.
//
// The rule is that of OpenSSH's StrictModes (the owner is this user or root, and nobody
// else may write), with three exceptions that OpenSSH does not have:
//   - in a sticky directory, such as /tmp, nobody can rename or remove what belongs to
//     this user, which the next step checks;
//   - write access for a group that has no other member (see privateGroup), as the
//     OpenSSH of Debian allows it;
//   - the modes that Kubernetes gives to volumes (see access).
func parents(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	dir, rest, links := "/", strings.Split(path, "/"), 0
	for {
		if err := checkParent(dir, path); err != nil {
			return err
		}
		for len(rest) > 0 && (rest[0] == "" || rest[0] == ".") {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return nil
		}
		next := filepath.Join(dir, rest[0]) // ".." of a link's target leads to a real parent
		rest = rest[1:]
		info, err := os.Lstat(next)
		if err != nil {
			return ignoreMissing(err)
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			if uid := owner(info); !trusted(uid) && !unmapped(uid) {
				return &Error{Path: next, Why: fmt.Sprintf("the link belongs to user %d, who can let it point elsewhere than to %s", uid, path)}
			}
			if links++; links > maxLinks {
				return &fs.PathError{Op: "open", Path: path, Err: syscall.ELOOP}
			}
			target, err := os.Readlink(next)
			if err != nil {
				return err
			}
			rest = append(strings.Split(target, "/"), rest...)
			if filepath.IsAbs(target) {
				dir = "/"
			}
			continue
		}
		if len(rest) == 0 || !info.IsDir() {
			return nil
		}
		dir = next
	}
}

// checkParent checks a directory that is on the way to a path.
func checkParent(dir, path string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	uid := owner(info)
	if !trusted(uid) && (!unmapped(uid) || info.Mode().Perm()&0o022 != 0) {
		return &Error{
			Path: dir, Fix: fmt.Sprintf("chown %d %q", os.Geteuid(), dir),
			Why: fmt.Sprintf("it belongs to user %d, who can put another directory or file in the place of %s (this process runs as user %d)",
				uid, path, os.Geteuid()),
		}
	}
	if info.Mode()&fs.ModeSticky != 0 {
		return nil
	}
	others := access(dir, info)
	if others&0o020 != 0 && privateGroup(dir, groupOf(info)) {
		others &^= 0o020
	}
	if others&0o022 != 0 {
		return &Error{
			Path: dir, Fix: fmt.Sprintf("chmod go-w %q", dir),
			Why: fmt.Sprintf("users who may write to it (owner %d, group %d, mode %#o) can put another directory or file in the place of %s",
				uid, groupOf(info), info.Mode().Perm(), path),
		}
	}
	return nil
}
