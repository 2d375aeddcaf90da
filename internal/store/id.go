package store

import (
	"crypto/rand"
	"strings"
	"time"
)

// lockRetry is how often a held lock is tried again.
const lockRetry = 50 * time.Millisecond

// NewID makes an id with a kind's prefix: "job_3k9f...", 26 characters of
// randomness, lower case so that it can stand in names and paths.
func NewID(prefix string) string { return prefix + "_" + strings.ToLower(rand.Text()) }
