package client

import (
	"regexp"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// notAccepted begins the title of a runner's problem with a request that breaks the
// rules of the API.
const notAccepted = "The runner cannot accept this request"

var (
	// valueAt matches where a runner of an earlier release repeats the value of a
	// request: "expected string (body.spec.host: VALUE)".
	valueAt = regexp.MustCompile(`\(((?:body|path|query|header|cookie)[^\s():]*): `)
	// nameAt matches the names in a place. Another name may be a value that was
	// given for a name.
	nameAt = regexp.MustCompile(`^[a-z_]{1,40}(?:\[\d+\])*$`)
)

// withoutValues removes what follows from the first repeated value of a request: the
// value may be a secret that was given in the wrong place, and where it ends cannot
// be told.
func withoutValues(p *protocol.Problem) {
	if !strings.HasPrefix(p.Title, notAccepted) {
		return
	}
	at := valueAt.FindStringSubmatchIndex(p.Detail)
	if at == nil {
		return
	}
	place := p.Detail[at[2]:at[3]]
	names := strings.Split(place, ".")
	for i, name := range names {
		if !nameAt.MatchString(name) {
			place = strings.Join(names[:i], ".")
			break
		}
	}
	p.Detail = p.Detail[:at[0]] + "(" + place + "); the value and further mistakes are left out"
}
