package store

import (
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Writing is the number of this process's transactions that have begun or wait for
// another writer.
func (d *DB) Writing() int { return d.write.Stats().InUse }

// WithBusyTimeout returns the location, with the time that one attempt to write waits.
func (l Location) WithBusyTimeout(d time.Duration) Location {
	l.busyTimeout = d
	return l
}

// Tables returns the names of all of the store's tables, sorted.
func Tables() []string { return slices.Sorted(slices.Values(append(slices.Clone(tables), derived...))) }

// CopiedTables returns the tables that Copy copies.
func CopiedTables() []string { return slices.Clone(tables) }

// SealForHost seals a secret as earlier releases did, which bound it to its host alone.
func (k *Key) SealForHost(s jobs.Secret, authorizationID, host string) []byte {
	return k.aead.Seal(nil, nil, []byte(s.Reveal()), boundToHost(authorizationID, host))
}

// SealFor seals a secret for a bound text, as earlier releases did.
func (k *Key) SealFor(s jobs.Secret, bound string) []byte {
	return k.aead.Seal(nil, nil, []byte(s.Reveal()), []byte(bound))
}

// SealUntagged seals a secret as releases did that did not name the key in it.
func (r *AuthorizationRow) SealUntagged(k *Key, s jobs.Secret) {
	r.binding = boundDestination
	r.Sealed = k.aead.Seal(nil, nil, []byte(s.Reveal()), r.bound())
}

// WithStep calls f before each transaction of a rotation, which ends with its error.
func (r Rotation) WithStep(f func(name string) error) Rotation {
	r.step = f
	return r
}

// FrequentQueries are queries that a runner executes for each run, each schedule or each
// scrape, with the index that PostgreSQL is to read for it.
func FrequentQueries() map[string]string {
	return map[string]string{
		rebound(`SELECT 1 FROM runs WHERE ` + fenced + ` FOR UPDATE`):               "runs_pkey",
		rebound(`SELECT 1 FROM runs WHERE id = ? AND ` + claimable + ` FOR UPDATE`): "runs_pkey",
		rebound(selectDue + ` FOR UPDATE SKIP LOCKED`):                              "jobs_due",
		rebound(selectOldest): "jobs_created",
		rebound(forgettable):  "runs_finished",
	}
}

func rebound(query string) string { return postgres.rebind(query) }

// NewIDFrom is NewID with the random texts that text returns.
var NewIDFrom = newID
