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

// temporaryPrefix is followed by the process id.
const temporaryPrefix = "lytics-sandbox-"

// directories returns where tables are kept, where objects are, which is in
// memory unless the user keeps the data, and what to do at the end.
func directories(data string) (dir, objects string, remove func() error, err error) {
	if data == "" {
		removeStale()
		dir, err = os.MkdirTemp("", fmt.Sprintf("%s%d-", temporaryPrefix, os.Getpid()))
		if err != nil {
			return "", "", nil, fmt.Errorf("make a directory for the data: %w", err)
		}
		return dir, "", func() error { return os.RemoveAll(dir) }, nil
	}
	if dir, err = filepath.Abs(data); err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return "", "", nil, fmt.Errorf("make the directory of -data: %w", err)
	}
	return dir, filepath.Join(dir, "objects"), func() error { return nil }, nil
}

// removeStale removes the temporary directories of sandboxes that were killed.
// Directories that cannot be removed are left: no sandbox depends on it.
func removeStale() {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), temporaryPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range found {
		text, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), temporaryPrefix), "-")
		pid, err := strconv.Atoi(text)
		if err != nil || pid == os.Getpid() || !gone(pid) {
			continue
		}
		_ = os.RemoveAll(dir)
	}
}

// gone reports whether no process has that id.
func gone(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return true
	}
	err = process.Signal(syscall.Signal(0))
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}
