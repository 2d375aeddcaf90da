package worker_test

import (
	"bytes"
	"regexp"
	"strconv"
	"sync"
	"testing"
)

// lines keeps what a process prints.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

var pidOfWorker = regexp.MustCompile(`started a worker process" pid=(\d+)`)

// pid returns the process id of the first worker in the log of a pool.
func (l *lines) pid(t *testing.T) (pid int) {
	t.Helper()
	eventually(t, "a worker", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		m := pidOfWorker.FindSubmatch(l.all.Bytes())
		if m == nil {
			return false
		}
		pid, _ = strconv.Atoi(string(m[1]))
		return true
	})
	return pid
}
