package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// temporaryPrefix begins the names of temporary directories; the process id
// follows.
const temporaryPrefix = "lytics-sandbox-"

// directories returns the directory of the tables, the directory of the objects
// (empty, and so in memory, without -data), and a function that removes what is
// temporary.
func directories(data string) (dir, objects string, remove func() error, err error) {
	if data == "" {
		removeStale()
		dir, err = os.MkdirTemp("", fmt.Sprintf("%s%d-", temporaryPrefix, os.Getpid()))
		if err != nil {
			return "", "", nil, fmt.Errorf("create a directory for the data: %w", err)
		}
		return dir, "", func() error { return os.RemoveAll(dir) }, nil
	}
	if dir, err = filepath.Abs(data); err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return "", "", nil, fmt.Errorf("create the directory of -data: %w", err)
	}
	return dir, filepath.Join(dir, "objects"), func() error { return nil }, nil
}

// removeStale removes the temporary directories of killed sandboxes. It ignores
// errors: a directory that stays does no harm.
func removeStale() {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), temporaryPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range found {
		text, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), temporaryPrefix), "-")
		pid, err := strconv.Atoi(text)
		if err != nil || pid == os.Getpid() || !processEnded(pid) {
			continue
		}
		_ = os.RemoveAll(dir)
	}
}

// processEnded reports whether no process has that id.
func processEnded(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return true
	}
	err = process.Signal(syscall.Signal(0))
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}
