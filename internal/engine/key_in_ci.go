package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// ciVariables are variables that CI services set in their jobs. Most of them set CI.
var ciVariables = []string{"CI", "TF_BUILD", "JENKINS_URL", "TEAMCITY_VERSION", "CODEBUILD_BUILD_ID"}

func (e *Engine) inCI() bool {
	for _, name := range ciVariables {
		if value := strings.ToLower(e.options.Getenv(name)); value != "" && value != "false" && value != "0" {
			return true
		}
	}
	return false
}

// checkNewKeyLasts refuses to create the encryption key in the home directory of a CI job
// for a store that outlives the job: homes of CI jobs seldom last, and the next job could
// not read the secret that is encrypted now. A store in the working directory or in the home
// lasts as long as the key does.
func (e *Engine) checkNewKeyLasts() error {
	if e.options.Getenv(store.KeyEnv) != "" || e.options.EncryptionKeyFile != "" || !e.inCI() || !e.storeOutlivesJob() {
		return nil
	}
	if _, err := e.ownKey(readKey); !errors.Is(err, fs.ErrNotExist) {
		return nil // it is there, or cannot be used: the caller reports that
	}
	file, err := store.DefaultKeyFile()
	if err != nil {
		return nil //nolint:nilerr // the caller reports that there is no such directory
	}
	location := "in PostgreSQL"
	if e.options.DatabaseURL.Empty() {
		location = "the directory " + e.options.DataDir
	}
	return &jobs.Error{
		Code: jobs.CodeSecretUnreadable, Attribute: "encryption_key_file",
		Summary: "The encryption key would be created in the home directory of a CI job",
		Detail: fmt.Sprintf("The store is %s and outlives this job. It has no encryption key yet, and the default path of a new one is %s, "+
			"which most CI services remove with the job: the next job could not read the secret that this one stores.", location, file),
		Next: "Set " + store.KeyEnv + " from a secret of the CI service (openssl rand -base64 32 makes one), or encryption_key_file to a path " +
			"that lasts and is outside the data directory; on a machine that keeps its home directory that may be the default path. " +
			"A login without a stored secret, such as auth_type = \"github-oidc\" or token_env, needs no key",
	}
}

// storeOutlivesJob reports whether the store is neither in the working directory, nor in the
// home directory, nor among temporary files, all of which end with a CI job.
func (e *Engine) storeOutlivesJob() bool {
	if !e.options.DatabaseURL.Empty() {
		return true
	}
	for _, directory := range []func() (string, error){
		os.Getwd, os.UserHomeDir, os.UserConfigDir, func() (string, error) { return os.TempDir(), nil },
	} {
		if dir, err := directory(); err == nil && within(dir, e.options.DataDir) {
			return false
		}
	}
	return true
}

// within reports whether a path is a directory or in it, by the paths and by what they link to.
func within(dir, path string) bool {
	if resolved, err := filepath.EvalSymlinks(dir); err == nil {
		dir = resolved
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}
