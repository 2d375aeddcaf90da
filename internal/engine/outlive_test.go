package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
)

// What records a change ends with the caller, and not before: on a slow disk, a write may
// wait for longer than it is given after the caller has gone.
func TestRecordingEndsAWhileAfterItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		caller, leave := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		recording, done := engine.Outlive(caller, 5*time.Second)
		defer done()
		time.Sleep(time.Hour)
		if err := recording.Err(); err != nil || recording.Value(key{}) != "value" {
			t.Fatalf("while the caller waits: %v, value %v", err, recording.Value(key{}))
		}
		leave()
		time.Sleep(4 * time.Second)
		if err := recording.Err(); err != nil {
			t.Fatalf("4 s after the caller has gone: %v", err)
		}
		time.Sleep(2 * time.Second)
		if recording.Err() == nil {
			t.Error("6 s after the caller has gone, the recording goes on")
		}
		second, end := engine.Outlive(t.Context(), 5*time.Second)
		end()
		if second.Err() == nil {
			t.Error("the context goes on after its end")
		}
	})
}
