// Package protocol defines what the runner's HTTP API and its client share: the
// version, the headers, the errors, and the JSON of the types of package jobs
// that have no JSON tags.
package protocol

import (
	"fmt"
	"net/url"
	"strings"
)

// Version is the API's version. An incompatible change increments it.
const Version = 1

// Base is the path prefix of the API's operations.
const Base = "/api/v1"

// The headers. Every request and every answer has the API version and the
// release of its sender, so that an error can name the older side. ClientHeader
// is the id of the calling process, for jobs.Presence.
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

// The names of the events of a followed run: a change, and the end, with the
// run or with a Problem. A stream without an end is incomplete.
const (
	EventRun     = "run"
	EventEnd     = "end"
	EventProblem = "problem"
)

// Mismatch says which of the two sides must be upgraded.
func Mismatch(client int, clientRelease string, runner int, runnerRelease string) (summary, detail, next string) {
	older := "the runner"
	if client < runner {
		older = "the provider (or command line) that called it"
	}
	return "The runner speaks another version of the API",
		fmt.Sprintf("The runner is release %s with API version %d; the caller is release %s with API version %d.",
			runnerRelease, runner, clientRelease, client),
		fmt.Sprintf("Upgrade %s: it is the older one.", older)
}

// Segment escapes a value for one segment of a path. It also escapes dots,
// because "." and ".." are relative segments.
func Segment(value string) string {
	return strings.ReplaceAll(url.PathEscape(value), ".", "%2E")
}

// SocketNote is the file in a data directory that says how to reach its runner:
// a Socket, in JSON.
const SocketNote = "runner.json"

// Socket is the address of a local runner's socket, and its token.
type Socket struct {
	Path  string `json:"path"`
	Token string `json:"token"`
	// Page is the address of the runner's page, for display.
	Page string `json:"page,omitempty"`
}
