//go:build !windows

package ownership

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// privateGroup reports whether a group has no member but this user. Where users have
// groups of their own, their directories are writable for the group by default (umask
// 002). By that convention such a group has the number of its user (USERGROUPS_ENAB of
// login.defs, pam_umask); a group of a directory service with this number is taken for
// one. An access list of the directory may have more users than its group.
func privateGroup(dir string, gid int) bool {
	if gid != os.Geteuid() || hasAccessList(dir) {
		return false
	}
	private, own := true, []string{""}
	accounts("/etc/passwd", func(f []string) { // name, password, uid, gid, ...
		switch {
		case len(f) < 4:
		case f[2] == strconv.Itoa(os.Geteuid()):
			own = append(own, f[0])
		case f[3] == strconv.Itoa(gid):
			private = false
		}
	})
	accounts("/etc/group", func(f []string) { // name, password, gid, members
		if len(f) < 4 || f[2] != strconv.Itoa(gid) {
			return
		}
		for member := range strings.SplitSeq(f[3], ",") {
			private = private && slices.Contains(own, member)
		}
	})
	return private
}

// accounts calls f with the fields of each line. A container may have no such file.
func accounts(file string, f func(fields []string)) {
	text, _ := os.ReadFile(file) // #nosec G304 -- two fixed names
	for line := range strings.Lines(string(text)) {
		f(strings.Split(strings.TrimSpace(line), ":"))
	}
}
