package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/ownership"
)

// KeyEnv names the environment variable that may hold the encryption key: 32
// bytes in base64.
const KeyEnv = "LYTICS_ENCRYPTION_KEY"

// Key encrypts secrets at rest with AES-256-GCM.
type Key struct {
	aead cipher.AEAD
	// raw is held, so that no message contains the key.
	raw jobs.Secret
	id  []byte
	// others are the further keys of a keyring: they decrypt.
	others []*Key
}

// DefaultKeyFile is the default path of the key file. It is in the user's
// configuration directory, so that a copy of the data directory does not contain the
// key.
func DefaultKeyFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no directory for the encryption key: %w; set %s or encryption_key_file", err, KeyEnv)
	}
	return filepath.Join(dir, "terraform-provider-lytics", "encryption.key"), nil
}

// LoadKey returns the key from the value of the environment variable, or else from
// the file (DefaultKeyFile when empty). If the file is missing, create makes one;
// otherwise the error wraps fs.ErrNotExist. A key file inside the data directory is
// refused, because a copy of the directory would contain the key and the secrets.
func LoadKey(env, file, dataDir string, create bool) (*Key, error) {
	if env != "" {
		return parseKey(env, "the environment variable "+KeyEnv)
	}
	if file == "" {
		var err error
		if file, err = DefaultKeyFile(); err != nil {
			return nil, keyError("No encryption key", err)
		}
	}
	if inside(dataDir, file) {
		return nil, keyError(
			"The encryption key is inside the data directory",
			fmt.Errorf("%s would be copied with the secrets it protects; move it elsewhere", file),
		)
	}
	if err := ownership.PrivateFile(file); err != nil {
		return nil, keyError("The encryption key is not only yours", err)
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && create {
		text, err = makeKeyFile(file)
	}
	if err != nil {
		return nil, keyError("Cannot read the encryption key", err)
	}
	return parseKey(string(text), file)
}

// makeKeyFile creates a key file atomically: if two processes create it at the same
// time, both use the same key.
func makeKeyFile(file string) ([]byte, error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return nil, err
	}
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// In a directory such as /tmp, another user may have made dir meanwhile.
	if err := ownership.Directory(dir); err != nil {
		return nil, err
	}
	tmp, err := os.CreateTemp(dir, ".key-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	if _, err := tmp.WriteString(base64.StdEncoding.EncodeToString(raw) + "\n"); err != nil {
		return nil, errors.Join(err, tmp.Close())
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(tmp.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(file)
}

// ReadKey returns the key that a text is; origin says where the text comes from.
func ReadKey(text, origin string) (*Key, error) { return parseKey(text, origin) }

func parseKey(text, origin string) (*Key, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(raw) != 32 {
		return nil, keyError(
			"The encryption key is not 32 bytes in base64",
			fmt.Errorf("it comes from %s; `openssl rand -base64 32` makes one", origin),
		)
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, keyError("Cannot use the encryption key", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, keyError("Cannot use the encryption key", err)
	}
	return &Key{aead: aead, raw: jobs.NewSecret(string(raw)), id: idOf(raw)}, nil
}

// sealSecret encrypts a secret and binds it to an authorization and its destination:
// openSecret fails for any other, so the secret is never sent elsewhere.
func (k *Key) sealSecret(s jobs.Secret, authorizationID string, d jobs.Destination) []byte {
	return k.seal([]byte(s.Reveal()), bound(authorizationID, d))
}

// openSecret decrypts what was sealed with the same bound text.
func (k *Key) openSecret(sealed []byte, authorizationID string, bound []byte) (jobs.Secret, error) {
	text, err := k.open(sealed, bound)
	if err != nil {
		return jobs.Secret{}, &jobs.Error{
			Code:      jobs.CodeSecretUnreadable,
			Attribute: "token_wo",
			Summary:   fmt.Sprintf("The stored token of authorization %s cannot be read", authorizationID),
			Detail:    "The encryption key is not the one it was encrypted with.",
			Next: "Give the key it was stored with (" + KeyEnv + " or encryption_key_file), or send the token again with a new " +
				"token_wo_version",
		}
	}
	return jobs.NewSecret(string(text)), nil
}

// sealRow encrypts a row in quarantine, and binds it to its import and its event.
func (k *Key) sealRow(content []byte, importKey, eventID string) []byte {
	return k.seal(content, boundRow(importKey, eventID))
}

// openRow decrypts what sealRow made for the same import and event. k may be nil.
func (k *Key) openRow(sealed []byte, importKey, eventID string) ([]byte, error) {
	if k != nil {
		if content, err := k.open(sealed, boundRow(importKey, eventID)); err == nil {
			return content, nil
		}
	}
	return nil, &jobs.Error{
		Code: jobs.CodeSecretUnreadable, Attribute: "encryption_key_file",
		Summary: "Rows in quarantine cannot be read", Detail: "They were encrypted with another encryption key than the present one.",
		Next: "Give the key that they were stored with (" + KeyEnv + " or encryption_key_file), or drop them with the command quarantine drop",
	}
}

func boundRow(importKey, eventID string) []byte {
	return []byte("quarantine\x00" + importKey + "\x00" + eventID)
}

// bound is the text that a secret is bound to. Without a ca_file it is that of the releases
// that had none.
func bound(authorizationID string, d jobs.Destination) []byte {
	if d.CAFile != "" {
		return fmt.Appendf(nil, "authorization 3\x00%s\x00%s\x00%s\x00%d\x00%q\x00%s", authorizationID, d.Scheme, d.Host, d.Port, d.CAFile, d.ClientID)
	}
	return fmt.Appendf(nil, "authorization 2\x00%s\x00%s\x00%s\x00%d\x00%s", authorizationID, d.Scheme, d.Host, d.Port, d.ClientID)
}

// boundToHost is the bound text of earlier releases.
func boundToHost(authorizationID, host string) []byte {
	return []byte("authorization\x00" + authorizationID + "\x00" + strings.ToLower(host))
}

func inside(dir, file string) bool {
	d, err1 := filepath.Abs(dir)
	f, err2 := filepath.Abs(file)
	if err1 != nil || err2 != nil || dir == "" {
		return false
	}
	rel, err := filepath.Rel(d, f)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func keyError(summary string, err error) error {
	return &jobs.Error{
		Code: jobs.CodeSecretUnreadable, Attribute: "encryption_key_file", Summary: summary, Detail: err.Error(),
		Next: "Set " + KeyEnv + " or encryption_key_file, or use token_env, which keeps no secret in the store", Err: err,
	}
}
