package cli

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// storeFlags select the store, as for the runner, and the source or target
// directory.
type storeFlags struct {
	configFile, dataDir, databaseURL string
	from, to                         string
}

// setupStore copies, backs up or restores a whole store.
func setupStore(flags *flag.FlagSet, in *invocation) func(context.Context) error {
	f := &storeFlags{}
	flags.BoolVar(&in.json, "json", false, "print JSON")
	flags.StringVar(&f.configFile, "config", "", "the runner's configuration file, which names the store: data_dir or "+
		"database_url, and staging.s3")
	flags.StringVar(&f.dataDir, "data-dir", "", "the store's data directory (LYTICS_DATA_DIR; default .lytics)")
	flags.StringVar(&f.databaseURL, "database-url", "", "the store's PostgreSQL database (better in LYTICS_DATABASE_URL: "+
		"other users can see arguments)")
	flags.StringVar(&f.from, "from", "", "copy, restore: the data directory or backup to read; the store must not exist yet")
	flags.StringVar(&f.to, "to", "", "copy, backup: the directory to create")
	return func(ctx context.Context) error {
		c, err := targetFlags{configFile: f.configFile, dataDir: f.dataDir, databaseURL: f.databaseURL}.readConfig(in.LookupEnv)
		if err != nil {
			return err
		}
		done, err := f.run(ctx, in.arguments[0], c.Engine)
		if err != nil {
			return err
		}
		return in.printCopied(in.arguments[0], done)
	}
}

func (f *storeFlags) run(ctx context.Context, verb string, c config.Engine) (store.Copied, error) {
	if err := f.validate(verb); err != nil {
		return store.Copied{}, err
	}
	here := store.Location{Dir: c.DataDir, DatabaseURL: c.DatabaseURL.Secret}
	var bucket func(storeID string) (store.Files, error)
	if o := engine.OptionsFromConfig(c, ""); o.Staging != nil && !here.DatabaseURL.Empty() {
		bucket = embedded.BucketFiles(ctx, *o.Staging)
	}
	switch {
	case verb == "backup":
		return store.Backup(ctx, here, f.to)
	case verb == "restore" && here.DatabaseURL.Empty():
		return store.Restore(ctx, f.from, here.Dir)
	case f.from != "":
		return store.Copy(ctx, store.Location{Dir: f.from}, here, store.CopyOptions{To: bucket})
	}
	return store.Copy(ctx, here, store.Location{Dir: f.to}, store.CopyOptions{From: bucket})
}

// validate checks the flags of copy, backup or restore.
func (f *storeFlags) validate(verb string) error {
	if !slices.Contains([]string{"copy", "backup", "restore"}, verb) {
		return jobs.Invalid("", fmt.Sprintf("There is no command store %q", verb), "The commands are copy, backup and restore.", "See store -h")
	}
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
