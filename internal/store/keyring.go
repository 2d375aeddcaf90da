package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Every encrypted text begins with keyMagic and the id of its key. What earlier
// releases encrypted begins with a random nonce; it is opened with every key.
var keyMagic = []byte{0, 'L', 'K', 1}

const (
	keyIDLength = 8
	tagLength   = 4 + keyIDLength
)

// idOf derives a key's id. It says nothing of the key, which is random.
func idOf(raw []byte) []byte {
	sum := sha256.Sum256(append([]byte("lytics encryption key id\x00"), raw...))
	return sum[:keyIDLength]
}

// ID identifies the key, in messages too.
func (k *Key) ID() string { return hex.EncodeToString(k.id) }

func (k *Key) tag() []byte { return append(bytes.Clone(keyMagic), k.id...) }

// seal encrypts a text and binds it to another one.
func (k *Key) seal(text, bound []byte) []byte {
	return k.aead.Seal(k.tag(), nil, text, bound) // #nosec G407 -- this AEAD makes its own random nonce
}

var errSealed = errors.New("the text was encrypted with another key, or for something else")

// open decrypts what seal encrypted with this key, or with one of the others that the
// keyring has.
func (k *Key) open(sealed, bound []byte) ([]byte, error) {
	all := append([]*Key{k}, k.others...)
	for _, key := range all {
		if rest, ok := bytes.CutPrefix(sealed, key.tag()); ok {
			if text, err := key.aead.Open(nil, nil, rest, bound); err == nil {
				return text, nil
			}
		}
	}
	for _, key := range all {
		if text, err := key.aead.Open(nil, nil, sealed, bound); err == nil {
			return text, nil
		}
	}
	return nil, errSealed
}

// with returns a keyring: k encrypts, and the others decrypt too.
func (k *Key) with(others ...*Key) *Key {
	ring := *k
	ring.others = others
	return &ring
}

// boundKey is what a key is bound to that another one encrypts.
func boundKey(keyID string) []byte { return []byte("encryption key\x00" + keyID) }

// CurrentKey is the id of the key that encrypts; empty if any key may.
func (d *DB) CurrentKey(ctx context.Context) (string, error) {
	id, err := currentKey(ctx, d.Read())
	return id, d.failed("Cannot read the store", err)
}

func currentKey(ctx context.Context, q Querier) (id string, err error) {
	err = q.QueryRowContext(ctx, `SELECT key_id FROM encryption_current`).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return id, err
}

// Keyring returns the keys of the store that a key gives access to: during a
// rotation, the earlier and the later key, whichever of them k is. The store's
// current key encrypts. If k does not give access to that one, the error is
// CodeSecretUnreadable.
func (d *DB) Keyring(ctx context.Context, k *Key) (*Key, error) {
	var ring *Key
	err := d.Read().Snapshot(ctx, func(q Querier) (err error) {
		ring, err = keyring(ctx, q, k)
		return err
	})
	return ring, d.ofDatabase("Cannot read the store", err)
}

func keyring(ctx context.Context, q Querier, k *Key) (*Key, error) {
	current, err := currentKey(ctx, q)
	if err != nil || current == "" {
		return k, err
	}
	have := map[string]*Key{k.ID(): k}
	rows, err := q.QueryContext(ctx, `SELECT key_id, sealed FROM encryption_keys WHERE by_id = ?`, k.ID())
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		var sealed []byte
		if err := rows.Scan(&id, &sealed); err != nil {
			return nil, err
		}
		raw, err := k.open(sealed, boundKey(id))
		if err != nil {
			return nil, corrupt("encryption key "+id, err)
		}
		if have[id], err = parseKey(base64.StdEncoding.EncodeToString(raw), "the store"); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	encrypts := have[current]
	if encrypts == nil {
		return nil, errRotated(current, k)
	}
	delete(have, current)
	others := make([]*Key, 0, len(have))
	for _, other := range have {
		others = append(others, other)
	}
	return encrypts.with(others...), nil
}

func errRotated(current string, k *Key) error {
	return &jobs.Error{
		Code: jobs.CodeSecretUnreadable, Attribute: "encryption_key_file", Summary: "The store's encryption key is another one",
		Detail: fmt.Sprintf("The store was rotated to the key %s, and this process has the key %s.", current, k.ID()),
		Next: "Give the store's key (" + KeyEnv + " or encryption_key_file). If it is lost, give a new one to the command " +
			"store rotate-key --discard-unreadable, and then the tokens again",
	}
}

// ErrKeyRotated means that the store was rotated to another key after a text was
// encrypted. The caller encrypts it again.
var ErrKeyRotated = errors.New("the store's encryption key was rotated at this moment")

// errStaleKey is ErrKeyRotated for a transaction that reads its key itself: Write
// runs it again.
var errStaleKey = errors.New("the store's encryption key was rotated during the transaction")

// keyLock is the lock of the current key: writers of encrypted texts share it.
const keyLock = "encryption key"

// checkSealed refuses a text that is not encrypted with the current key. The key is
// not changed until the transaction ends.
func checkSealed(ctx context.Context, tx *Tx, sealed []byte) error {
	if err := tx.LockShared(ctx, keyLock); err != nil {
		return err
	}
	current, err := currentKey(ctx, tx)
	if err != nil || current == "" {
		return err
	}
	id, err := hex.DecodeString(current)
	if err != nil {
		return corrupt("the encryption key", err)
	}
	if !bytes.HasPrefix(sealed, append(bytes.Clone(keyMagic), id...)) {
		return ErrKeyRotated
	}
	return nil
}
