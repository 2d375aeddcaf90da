package store

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// secretBinding is what a sealed secret is bound to, beside its authorization.
type secretBinding int

const (
	// boundHost is the host alone, as earlier releases wrote it.
	boundHost secretBinding = 1
	// boundDestination is scheme, host, port, client id and ca_file.
	boundDestination secretBinding = 2
)

// Seal encrypts the authorization's secret for its destination.
func (r *AuthorizationRow) Seal(k *Key, s jobs.Secret) {
	r.Sealed, r.binding = k.sealSecret(s, r.ID, r.Destination()), boundDestination
}

// Open decrypts the authorization's secret. It fails if the secret was sealed for
// another authorization or another destination, or with another key.
func (r AuthorizationRow) Open(k *Key) (jobs.Secret, error) {
	return k.openSecret(r.Sealed, r.ID, r.bound())
}

// bound is the text that the secret is bound to.
func (r AuthorizationRow) bound() []byte {
	if r.binding == boundHost && r.CAFile == "" { // releases that bound it to the host alone had no ca_file
		return boundToHost(r.ID, r.Host)
	}
	return bound(r.ID, r.Destination())
}

// BindSecrets binds the secrets that an earlier release bound to their host alone to
// their whole destination, as the store has it. It asks for the key only if there are
// such secrets. One that the key does not open stays as it is: it has to be given
// again anyway.
func (d *DB) BindSecrets(ctx context.Context, key func() (*Key, error)) error {
	rows, err := d.authorizations(ctx, `secret IS NOT NULL AND secret_binding = ?`, boundHost)
	if err != nil || len(rows) == 0 {
		return err
	}
	k, err := key()
	if err != nil {
		return nil //nolint:nilerr // without the key the secrets cannot be used either, and whoever needs one gets the error
	}
	for _, r := range rows {
		secret, err := r.Open(k)
		if err != nil {
			continue
		}
		was := r.Sealed
		r.Seal(k, secret)
		// A secret, host or port that another process changed in the meantime is not
		// overwritten.
		err = d.Write(ctx, func(tx *Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE authorizations SET secret = ?, secret_binding = ?
				WHERE id = ? AND secret = ? AND secret_binding = ? AND host = ? AND port = ? AND client_id = ? AND ca_file = ?`,
				r.Sealed, r.binding, r.ID, was, boundHost, r.Host, r.Port, r.ClientID, r.CAFile)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
