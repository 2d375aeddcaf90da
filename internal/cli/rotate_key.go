package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// newKeyEnv names the environment variable that may hold the new encryption key. The
// key is never an argument, which other users can see.
const newKeyEnv = "LYTICS_NEW_ENCRYPTION_KEY"

// newKey reads the new key from the environment, from a file, which is created if it
// does not exist, or from the standard input.
func (f *storeFlags) newKey(in *invocation, c config.Engine) (*store.Key, error) {
	text, _ := in.LookupEnv(newKeyEnv)
	switch {
	case (text == "") == (f.newKeyFile == ""):
		return nil, jobs.Invalid("new-key-file", "The new encryption key is not given, or given twice",
			"It is in a file, in the standard input (-), or in "+newKeyEnv+".", "Give one of them; a file that does not exist is created "+
				"with a new key")
	case text != "":
		return store.ReadKey(text, newKeyEnv)
	case f.newKeyFile == "-":
		all, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<10))
		if err != nil {
			return nil, fmt.Errorf("reading the new encryption key: %w", err)
		}
		return store.ReadKey(string(all), "the standard input")
	}
	return store.LoadKey("", f.newKeyFile, c.DataDir, true)
}

// rotateKey encrypts the store with another key.
func (f *storeFlags) rotateKey(ctx context.Context, in *invocation, c config.Engine) error {
	if f.from != "" || f.to != "" {
		return jobs.Invalid("to", "store rotate-key has no source and no target", "It changes the store that the other flags select.",
			"Leave --from and --to out")
	}
	to, err := f.newKey(in, c)
	if err != nil {
		return err
	}
	o := engine.OptionsFromConfig(c, in.Version)
	o.Getenv = func(name string) string { text, _ := in.LookupEnv(name); return text }
	done, err := engine.RotateKey(ctx, o, to, f.discard)
	if err != nil {
		return err
	}
	waiting := make([]string, len(done.Waiting))
	for i, w := range done.Waiting {
		waiting[i] = w.String()
	}
	if in.json {
		return json.NewEncoder(in.out).Encode(map[string]any{"key_id": to.ID(), "secrets": done.Secrets, "rows": done.Rows,
			"discarded": done.Discarded, "waiting": waiting, "ended": len(waiting) == 0})
	}
	text := fmt.Sprintf("Everything in the store is encrypted with the key %s. In this call, %d secrets and %d rows in quarantine were "+
		"encrypted again, "+
		"and %d were removed.\n", to.ID(), done.Secrets, done.Rows, done.Discarded)
	if len(waiting) > 0 {
		text += fmt.Sprintf("The rotation has not ended: these processes have the earlier key, and go on with it: %s.\n"+
			"Give them the new key, restart those that have it in %s, and give this command again: it then makes the earlier key useless.\n",
			strings.Join(waiting, ", "), store.KeyEnv)
	} else {
		text += "The rotation has ended: the earlier key opens nothing. Use the new key from now on (" + store.KeyEnv + " or " +
			"encryption_key_file).\n"
	}
	_, err = io.WriteString(in.out, text)
	return err
}
