package engine

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// In a Lytics account a row in quarantine belongs to an erased user if it has the
// value of an identifier anywhere.
func TestARowOfALyticsAccountBelongsToAUserByItsValues(t *testing.T) {
	t.Parallel()
	belongs := holdsIdentity([]jobs.Identity{{Field: "email", Value: "ann@example.com"}, {Field: "id", Value: "42"}, {Field: "empty", Value: " "}})
	for data, want := range map[string]bool{
		`{"mail":" Ann@Example.com "}`:              true,
		`{"customer":42}`:                           true,
		`{"a":{"b":["x",{"c":"ann@example.com"}]}}`: true,
		`{"mail":"joann@example.com","n":420}`:      false,
		`{"mail":"","x":null}`:                      false,
		``:                                          false,
	} {
		if got := belongs("s", jobs.Event{Data: []byte(data)}); got != want {
			t.Errorf("%s: got %t, want %t", data, got, want)
		}
	}
}
