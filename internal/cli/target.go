package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// targetFlags select the runner or the store of a command.
type targetFlags struct {
	url, tokenFile, caFile           string
	dataDir, databaseURL, configFile string
	// lytics makes the account of the environment's token the platform.
	lytics bool
}

// withAPI declares the flags that select a runner or store, and opens and closes
// its API around a command.
func withAPI(flags *pflag.FlagSet, in *invocation, do func(context.Context) error) func(context.Context) error {
	t := &in.target
	flags.BoolVar(&in.json, "json", false, "print JSON, one object per line")
	flags.StringVar(&t.url, "url", "", "URL of the runner (LYTICS_RUNNER_URL)")
	flags.StringVar(&t.tokenFile, "token-file", "", "file with the runner's token (or set LYTICS_RUNNER_TOKEN)")
	flags.StringVar(&t.caFile, "ca-file", "", "certificate authority of the runner's certificate (LYTICS_RUNNER_CA_FILE)")
	flags.StringVar(&t.configFile, "config", "", "the runner's configuration file, which names the store")
	flags.StringVar(&t.dataDir, "data-dir", "", "the data directory (LYTICS_DATA_DIR; default .lytics)")
	flags.BoolVar(&t.lytics, "lytics", false, "the store's platform is a Lytics account, with the token in LYTICS_API_TOKEN")
	flags.StringVar(&t.databaseURL, "database-url", "", "the store's PostgreSQL database (better in LYTICS_DATABASE_URL: "+
		"other users can see arguments)")
	return in.withOpenAPI(do)
}

// withOpenAPI opens and closes the API that the flags and the environment select around a
// function.
func (in *invocation) withOpenAPI(do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		target, err := in.resolveTarget()
		if err != nil {
			return err
		}
		if in.api, err = in.Open(ctx, target); err != nil {
			return err
		}
		return errors.Join(do(ctx), in.api.Close())
	}
}

// resolveTarget completes the flags from the environment.
func (in *invocation) resolveTarget() (config.Target, error) {
	t := in.target
	named := t.dataDir != "" || t.databaseURL != "" || t.configFile != "" || t.lytics
	if t.url == "" && !named {
		t.url, _ = in.LookupEnv(config.RunnerURLEnv)
	}
	if t.url == "" {
		c, err := t.readConfig(in.LookupEnv)
		return config.Target{Engine: c.Engine}, err
	}
	if named {
		return config.Target{}, jobs.Invalid("url", "Two stores are given", "A runner has its own store and platform, and --data-dir, "+
			"--database-url, --lytics or --config select another.", "Leave one of them out")
	}
	address := config.RunnerAddress{URL: t.url, CAFile: t.caFile}.Complete(in.LookupEnv)
	if t.tokenFile != "" {
		text, err := os.ReadFile(t.tokenFile)
		if err != nil {
			return config.Target{}, jobs.Invalid("token-file", "The runner's token cannot be read", err.Error()+".",
				"Give a file that this user can read")
		}
		address.Token = jobs.NewSecret(strings.TrimSpace(string(text)))
	}
	return config.Target{Runner: &address}, nil
}

// readConfig reads a configuration file and completes it from flags and from the
// environment.
func (t targetFlags) readConfig(lookup func(string) (string, bool)) (config.Runner, error) {
	c, err := config.Read(t.configFile)
	if err != nil {
		return c, err
	}
	c = c.Override(lookup)
	if t.dataDir != "" {
		c.DataDir = t.dataDir
	}
	if t.databaseURL != "" {
		c.DatabaseURL = config.NewSecret(t.databaseURL)
	}
	if t.lytics && c.LyticsAccount() == nil {
		c.Platform = &config.Platform{Lytics: &config.Lytics{}}
	}
	return c.Complete(lookup)
}

// findJob finds a job by its id, or by its label if only one job has it.
func (in *invocation) findJob(ctx context.Context, name string) (jobs.Job, error) {
	all, err := in.api.Jobs(ctx)
	if err != nil {
		return jobs.Job{}, err
	}
	var found []jobs.Job
	for _, j := range all {
		if j.ID == name {
			return j, nil
		}
		if j.Label == name {
			found = append(found, j)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return jobs.Job{}, &jobs.Error{Code: jobs.CodeNotFound, Summary: fmt.Sprintf("No job %q", name),
			Detail: "No job has this id or label.", Next: knownJobs(all)}
	}
	return jobs.Job{}, jobs.Invalid("", fmt.Sprintf("%d jobs have the label %q", len(found), name), "Labels need not be unique.",
		"Give the id of one of them, such as "+found[0].ID)
}

// knownJobs names the jobs that there are, as the way out of a wrong name.
func knownJobs(all []jobs.Job) string {
	names := make([]string, len(all))
	for i, j := range all {
		names[i] = cmp.Or(j.Label, j.ID)
	}
	return known("jobs", names)
}

// withKnown adds the names that there are to the error about one that there is not.
func (in *invocation) withKnown(ctx context.Context, err error, what string, names completion) error {
	missing, ok := errors.AsType[*jobs.Error](err)
	if !ok || missing.Code != jobs.CodeNotFound {
		return err
	}
	all, failed := names(ctx, in.api)
	if failed != nil {
		return err
	}
	more := *missing
	more.Next = known(what, all)
	return &more
}

// mostNames is the number of names in a message.
const mostNames = 10

func known(what string, names []string) string {
	if len(names) == 0 {
		return "There are no " + what + ": check --data-dir, --url or --config"
	}
	quoted := make([]string, 0, mostNames)
	for _, n := range names[:min(len(names), mostNames)] {
		quoted = append(quoted, strconv.Quote(n))
	}
	text := "The " + what + " are " + strings.Join(quoted, ", ")
	if more := len(names) - len(quoted); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
