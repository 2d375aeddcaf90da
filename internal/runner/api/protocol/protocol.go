// Package protocol is what the runner's HTTP API and its client have in
// common: the version they agree on, the headers, the errors, and the JSON of
// those objects whose Go types have none of their own.
package protocol

import (
	"fmt"
	"net/url"
	"strings"
)

// Version is the API's version. A change that an older client or runner would
// misunderstand raises it.
const Version = 1

// Base is where the API's operations begin.
const Base = "/api/v1"

// The headers. Each side says its Version and its release with every request
// and answer, so that whichever is older can be named. ClientHeader is the
// process that asks: what it creates is its own until it is gone.
const (
	VersionHeader = "Lytics-Api-Version"
	ReleaseHeader = "Lytics-Release"
	ClientHeader  = "Lytics-Client"
)

// The media types of streamed answers.
const (
	NDJSON      = "application/x-ndjson"
	EventStream = "text/event-stream"
)

// The names of the events of a followed run: a change of it, and its end with
// the run or with a Problem. A stream without an end was cut off.
const (
	EventRun     = "run"
	EventEnd     = "end"
	EventProblem = "problem"
)

// Mismatch says which of the two must be upgraded.
func Mismatch(client int, clientRelease string, runner int, runnerRelease string) (summary, detail, next string) {
	older := "the runner"
	if client < runner {
		older = "the provider (or command line) that asks"
	}
	return "The runner speaks another version of the API",
		fmt.Sprintf("The runner is release %s with API version %d; the one that asks is release %s with API version %d.",
			runnerRelease, runner, clientRelease, client),
		fmt.Sprintf("Upgrade %s: it is the older one.", older)
}

// Segment escapes a value for one segment of a path. Dots are escaped too:
// "." and ".." would be taken for directories.
func Segment(value string) string {
	return strings.ReplaceAll(url.PathEscape(value), ".", "%2E")
}

// SocketNote is the file in a data directory that says how to reach the runner
// that owns it: a Socket, as JSON.
const SocketNote = "runner.json"

// Socket is where a local runner listens, and the token it wants there.
type Socket struct {
	Path  string `json:"path"`
	Token string `json:"token"`
	// Page is the address of its page, for people.
	Page string `json:"page,omitempty"`
}
