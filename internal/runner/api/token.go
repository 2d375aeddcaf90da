package api

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/ownership"
)

// TokenEnv is the environment variable that holds the token instead of a file,
// for the runner and for its clients.
const TokenEnv = "LYTICS_RUNNER_TOKEN" //nolint:gosec // the variable's name

// TokenFile is the default name of the token's file in the data directory.
const TokenFile = "runner.token"

// minToken is the length of the shortest accepted token. A shorter one could be
// guessed.
const minToken = 20

// LoadToken returns the token of the environment or, if it has none, of the
// file. If there is no file, LoadToken creates it with a new token; made
// reports that.
func LoadToken(env, file string) (_ jobs.Secret, made bool, _ error) {
	if text := strings.TrimSpace(env); text != "" {
		token, err := goodToken(text, TokenEnv)
		return token, false, err
	}
	text, err := readPrivate(file)
	if errors.Is(err, fs.ErrNotExist) {
		token := jobs.NewAccessToken()
		return token, true, writePrivate(file, []byte(token.Reveal()+"\n"))
	}
	if err != nil {
		return jobs.Secret{}, false, err
	}
	token, err := goodToken(strings.TrimSpace(string(text)), file)
	return token, false, err
}

func goodToken(text, from string) (jobs.Secret, error) {
	if len(text) < minToken || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return jobs.Secret{}, &jobs.Error{Code: jobs.CodeInvalid, Summary: "The runner's token can be guessed",
			Detail: fmt.Sprintf("The token in %s is shorter than %d characters, or has unprintable characters.", from, minToken),
			Next:   "Use a longer token (openssl rand -hex 32), or remove it: the runner then creates one"}
	}
	return jobs.NewSecret(text), nil
}

// readPrivate reads a file, and fails if other users can read or replace it.
func readPrivate(file string) ([]byte, error) {
	if err := ownership.PrivateFile(file); err != nil {
		return nil, &jobs.Error{Code: jobs.CodeInvalid, Summary: "Others can read or replace the runner's token", Detail: err.Error() + ".", Err: err,
			Next: "Run chmod 600 on the file, and see that nobody else can write to its directories. If others may have read it, remove it: " +
				"the runner then creates a new token"}
	}
	return os.ReadFile(file)
}

// writePrivate writes a file that only its owner can read. A failed write
// leaves no partial file.
func writePrivate(file string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".runner-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
