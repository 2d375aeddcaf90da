package store

import (
	"crypto/rand"
	"strings"
	"time"
)

// lockRetry is the interval at which a held lock is tried again.
const lockRetry = 50 * time.Millisecond

// NewID returns a random id with the prefix of its kind: "job_3k9f...". It has 26
// random characters, in lower case so that names and paths can contain it.
func NewID(prefix string) string { return prefix + "_" + strings.ToLower(rand.Text()) }
