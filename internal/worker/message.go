package worker

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Setup is what a worker has to know before its first run.
type Setup struct {
	// Settings are the runner's, with its secrets, in the form that the caller of Serve
	// reads.
	Settings []byte `json:"settings"`
	// Environment is the runner's, as in os.Environ: drivers and settings refer to it.
	Environment []string `json:"environment"`
	// MemoryMB bounds the memory of the worker; see limitMemory.
	MemoryMB int `json:"memory_mb"`
}

// toWorker is a message to a worker; one field is set.
type toWorker struct {
	Setup *Setup `json:"setup,omitempty"`
	// Run is the claim of the run to execute, and Question asks a workspace. Cancel stops
	// either.
	Run      *store.Claim     `json:"run,omitempty"`
	Question *engine.Question `json:"question,omitempty"`
	Cancel   bool             `json:"cancel,omitempty"`
}

// fromWorker is a message of a worker; one field is set.
type fromWorker struct {
	// Version is the first message: the version of the binary.
	Version string `json:"version,omitempty"`
	// Began says that the worker has the claim or the question, before anything is done
	// for it.
	Began  bool           `json:"began,omitempty"`
	Report *engine.Report `json:"report,omitempty"`
	Ended  *ended         `json:"ended,omitempty"`
	// Answer is an engine.Answer.
	Answer json.RawMessage `json:"answer,omitempty"`
}

// ended is how the work of a run ended: without an error if Error is nil.
type ended struct {
	Error *engine.WorkError `json:"error,omitempty"`
}

// maxMessage bounds a message in bytes, so that garbage does not fill the memory.
const maxMessage = engine.MaxAnswer + 1<<20

// receive calls got with each message until the stream ends, which is no error.
func receive[M any](r io.Reader, got func(M)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxMessage)
	for lines.Scan() {
		var m M
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			// The error of encoding/json may repeat a value.
			return fmt.Errorf("a line of %d bytes is no message", len(lines.Bytes()))
		}
		got(m)
	}
	return lines.Err()
}

// sender writes messages to a stream.
type sender struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *sender) send(m any) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = s.w.Write(append(text, '\n'))
	return err
}
