package lyticstest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/filterql"
)

// Understand makes the account take a filter or an expression that the embedded
// engine cannot read, as Lytics knows more of its languages than the engine does.
// Such a filter matches nobody, and such a mapping gives no value.
func (s *Server) Understand(text string) {
	s.account.Lock()
	defer s.account.Unlock()
	s.understood = append(s.understood, text)
}

// understands tells whether a text holds one that was given to Understand.
func (s *Server) understands(text string) bool {
	return slices.ContainsFunc(s.understood, func(known string) bool { return strings.Contains(text, known) })
}

// evaluable replaces a filter that the embedded engine cannot read by one that
// matches nobody.
func (s *Server) evaluable(a jobs.Audience) jobs.Audience {
	if s.understands(a.Filter) {
		a.Filter = "NOT (*)"
	}
	return a
}

// checkNames refuses a filter that names a segment that the account does not have
// and, under the switch, such a field.
func (s *Server) checkNames(filter string) error {
	f, err := filterql.Parse(filter)
	if err != nil {
		return err
	}
	for _, name := range f.Includes() {
		if s.findSegment(name) == nil {
			return fmt.Errorf("segment %s to include not found", name)
		}
	}
	if !s.options.ValidateFields {
		return nil
	}
	known := slices.Collect(maps.Keys(s.schema.live.fields))
	for _, name := range f.Fields() {
		if !slices.ContainsFunc(known, func(id string) bool { return id == name || strings.HasPrefix(id, name+".") }) {
			return fmt.Errorf("field %s not found", name)
		}
	}
	return nil
}

// errNoValue is the answer for an expression that gives no value for an event.
var errNoValue = errors.New("could not evaluate the expression")
