//go:build unix

package pgserver

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// users are the users that the server can run as when this process is root, as
// in many containers: PostgreSQL refuses root.
var users = []string{"postgres", "nobody"}

func unprivileged() (uid, gid int, err error) {
	for _, name := range users {
		var u *user.User
		if u, err = user.Lookup(name); err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		return uid, gid, errors.Join(err1, err2)
	}
	return 0, 0, err
}

// giveAway makes the server's user the owner of its files.
func giveAway(paths ...string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := unprivileged()
	for _, path := range paths {
		if err == nil {
			err = os.Chown(path, uid, gid)
		}
	}
	return err
}

// demote runs the command as the server's user.
func demote(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() != 0 {
		return
	}
	if uid, gid, err := unprivileged(); err == nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)} // #nosec G115
	}
}
