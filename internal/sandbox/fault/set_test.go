package fault_test

import (
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
)

// A test holds a call with a long delay, and lets it go on by removing the fault.
func TestARemovedFaultDelaysNoLonger(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(s *fault.Set, id string){
		"removed": func(s *fault.Set, id string) { s.Remove(id) },
		"cleared": func(s *fault.Set, _ string) { s.Clear() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s fault.Set
			slow, err := s.Add(fault.Fault{Kind: fault.Slow, On: "FetchResults", Delay: fault.Duration(24 * time.Hour), Times: -1})
			if err != nil {
				t.Fatal(err)
			}
			hit, ok := s.Trigger(fault.Call{Name: "FetchResults"}, fault.Slow)
			if !ok {
				t.Fatal("got no hit")
			}
			go remove(&s, slow.ID)
			if err := hit.Wait(t.Context()); err != nil {
				t.Errorf("got %v, want the end of the delay", err)
			}
		})
	}
}
