package torture

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// CommitEnv is the commit that is tested.
const CommitEnv = "LYTICS_TORTURE_COMMIT"

// describeMachine fills in when and where the record was made.
func (r *Record) describeMachine() {
	r.At = time.Now().UTC().Format(time.DateOnly)
	r.Commit, r.Cores = os.Getenv(CommitEnv), runtime.NumCPU()
	// Linux only; elsewhere the load is left out.
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return
	}
	first, _, _ := strings.Cut(string(text), " ")
	r.Load, _ = strconv.ParseFloat(first, 64)
}
