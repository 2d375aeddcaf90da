package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// storeFlags select the store, as for the runner, and the source or target
// directory.
type storeFlags struct {
	targetFlags
	from, to   string
	newKeyFile string
	discard    bool
}

var storeCommands = []command{
	{use: "copy", summary: "copy a store to a new place: from --from into the store that the other flags select, or from it to --to",
		setup: setupStoreCopy("copy"), example: "store copy --config runner.yml --from .lytics"},
	{use: "backup", summary: "copy a store to the directory --to while it is in use", setup: setupStoreCopy("backup"),
		example: "store backup --data-dir /var/lib/lytics-runner --to /backup/2026-11-22"},
	{use: "restore", summary: "make a store from the backup --from", setup: setupStoreCopy("restore"),
		example: "store restore --data-dir /var/lib/lytics-runner --from /backup/2026-11-22"},
	{use: "rotate-key", summary: "encrypt a store with another key; the command can be killed and given again", setup: setupRotateKey,
		example: "store rotate-key --config runner.yml --new-key-file /etc/lytics-runner/new.key"},
}

// selectStore declares the flags that select the store.
func selectStore(flags *pflag.FlagSet, in *invocation, f *storeFlags) {
	flags.BoolVar(&in.json, "json", false, "print JSON")
	flags.StringVar(&f.configFile, "config", "", "the runner's configuration file, which names the store: data_dir or "+
		"database_url, and staging.s3 or events.volume")
	flags.StringVar(&f.dataDir, "data-dir", "", "the store's data directory (LYTICS_DATA_DIR; default .lytics)")
	flags.StringVar(&f.databaseURL, "database-url", "", "the store's PostgreSQL database (better in LYTICS_DATABASE_URL: "+
		"other users can see arguments)")
}

// directories declares --from and --to. A command that does not take one of them still
// knows it, to say what the command needs instead.
func (f *storeFlags) directories(flags *pflag.FlagSet, hidden ...string) {
	flags.StringVar(&f.from, "from", "", "the data directory or backup to read; the store must not exist yet")
	flags.StringVar(&f.to, "to", "", "the directory to create")
	for _, name := range hidden {
		if name != "" {
			flags.Lookup(name).Hidden = true
		}
	}
}

// setupStoreCopy copies, backs up or restores a whole store.
func setupStoreCopy(verb string) func(*pflag.FlagSet, *invocation) func(context.Context) error {
	return func(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
		f := &storeFlags{}
		selectStore(flags, in, f)
		f.directories(flags, map[string]string{"backup": "from", "restore": "to"}[verb])
		return func(ctx context.Context) error {
			c, err := f.readConfig(in.LookupEnv)
			if err != nil {
				return err
			}
			done, err := f.run(ctx, verb, c.Engine)
			if err != nil {
				return err
			}
			return in.printCopied(verb, done)
		}
	}
}

func setupRotateKey(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	f := &storeFlags{}
	selectStore(flags, in, f)
	f.directories(flags, "from", "to")
	flags.StringVar(&f.newKeyFile, "new-key-file", "", "file with the new encryption key, which is created if it does not exist, "+
		"or - for the standard input (or set "+newKeyEnv+"). The present key is that of the configuration")
	flags.BoolVar(&f.discard, "discard-unreadable", false, "remove secrets and rows that the present key does not open, in place of an error")
	return func(ctx context.Context) error {
		c, err := f.readConfig(in.LookupEnv)
		if err != nil {
			return err
		}
		return f.rotateKey(ctx, in, c.Engine)
	}
}

func (f *storeFlags) run(ctx context.Context, verb string, c config.Engine) (store.Copied, error) {
	if err := f.validate(verb); err != nil {
		return store.Copied{}, err
	}
	here := store.Location{Dir: c.DataDir, DatabaseURL: c.DatabaseURL.Secret}
	var files func(storeID string) (store.Files, error)
	if open := engine.OptionsFromConfig(c, "").EventObjects(); open != nil && !here.DatabaseURL.Empty() {
		files = embedded.ObjectFiles(ctx, open)
	}
	switch {
	case verb == "backup":
		return store.Backup(ctx, here, f.to)
	case verb == "restore" && here.DatabaseURL.Empty():
		return store.Restore(ctx, f.from, here.Dir)
	case f.from != "":
		return store.Copy(ctx, store.Location{Dir: f.from}, here, store.CopyOptions{To: files})
	}
	return store.Copy(ctx, here, store.Location{Dir: f.to}, store.CopyOptions{From: files})
}

// validate checks the flags of copy, backup or restore.
func (f *storeFlags) validate(verb string) error {
	takes := map[string]string{"backup": "--to", "restore": "--from"}[verb]
	switch {
	case takes == "" && (f.from == "") == (f.to == ""):
		return jobs.Invalid("to", "The source or the target of the copy is missing",
			"--from DIR copies DIR into the store that the other flags select, --to DIR copies that store to DIR.", "Give one of them")
	case takes == "--to" && (f.to == "" || f.from != ""), takes == "--from" && (f.from == "" || f.to != ""):
		return jobs.Invalid(takes[2:], fmt.Sprintf("store %s needs %s DIR, and no other directory", verb, takes),
			"The store itself is selected by --config, --data-dir or --database-url.", "Give "+takes)
	}
	return nil
}

func (in *invocation) printCopied(verb string, done store.Copied) error {
	if in.json {
		return json.NewEncoder(in.out).Encode(map[string]any{"store_id": done.StoreID, "rows": done.Rows, "files": done.Files,
			"bytes": done.Bytes})
	}
	_, err := fmt.Fprintf(in.out, "%s: store %s, with %d jobs, %d runs, and %d files of events (%d bytes)\n",
		map[string]string{"copy": "Copied", "backup": "Backed up", "restore": "Restored"}[verb],
		done.StoreID, done.Rows["jobs"], done.Rows["runs"], done.Files, done.Bytes)
	if err == nil && verb == "copy" {
		_, err = fmt.Fprintln(
			in.out,
			"The source was not changed. The source and the copy are the same store: use only one of them, and remove the other.",
		)
	}
	return err
}
