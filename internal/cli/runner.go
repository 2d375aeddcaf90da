package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/ownership"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/page"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/tracing"
)

// shutdownGrace is how long requests in progress may take when the runner stops.
const shutdownGrace = 5 * time.Second

// Ready is the content of the --ready-file, which the runner writes when it accepts
// requests.
type Ready struct {
	URL       string `json:"url"`
	TokenFile string `json:"token_file,omitempty"`
	PID       int    `json:"pid"`
}

// runnerFlags are the flags of the command runner.
type runnerFlags struct {
	configFile, dataDir, databaseURL, hosts, readyFile string
	config                                             config.Runner
}

func setupRunner(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	f := &runnerFlags{}
	flags.StringVar(&f.configFile, "config", "", "configuration file (YAML or JSON) with the keys of the provider block")
	flags.StringVar(&f.dataDir, "data-dir", "", "the data directory (LYTICS_DATA_DIR; default .lytics)")
	flags.StringVar(&f.databaseURL, "database-url", "", "PostgreSQL database that several runners share (better in LYTICS_DATABASE_URL: "+
		"other users can see arguments)")
	flags.StringVar(&f.config.Listen, "listen", "", "address of the API and the page, as HOST:PORT (LYTICS_RUNNER_LISTEN; "+
		"default "+api.DefaultListen+")")
	flags.StringVar(&f.config.TLSCert, "tls-cert", "", "TLS certificate (LYTICS_RUNNER_TLS_CERT), required unless the address is loopback")
	flags.StringVar(&f.config.TLSKey, "tls-key", "", "key of the TLS certificate (LYTICS_RUNNER_TLS_KEY)")
	flags.StringVar(&f.config.TokenFile, "token-file", "", "file with the API's token, created if it does not exist "+
		"(LYTICS_RUNNER_TOKEN_FILE; default "+api.TokenFile+" in the data directory)")
	flags.StringVar(&f.hosts, "allowed-hosts", "", "further host names of the API, separated by commas (LYTICS_RUNNER_ALLOWED_HOSTS)")
	flags.StringVar(&f.config.Log.Format, "log-format", "", "text or json (LYTICS_RUNNER_LOG_FORMAT; default text)")
	flags.StringVar(&f.config.Log.Level, "log-level", "", "debug, info, warn or error (LYTICS_RUNNER_LOG_LEVEL; default info)")
	flags.StringVar(&f.readyFile, "ready-file", "", "file to write when the runner accepts requests: its URL, token file and "+
		"process id, as JSON")
	return func(ctx context.Context) error {
		c, err := f.readConfig(in.LookupEnv)
		if err != nil {
			return err
		}
		return in.serve(ctx, c, f.readyFile)
	}
}

// readConfig completes the flags from the configuration file, and that from the
// environment.
func (f *runnerFlags) readConfig(lookup func(string) (string, bool)) (config.Runner, error) {
	c, err := config.Read(f.configFile)
	if err != nil {
		return c, err
	}
	c = c.Override(lookup)
	for _, p := range []struct {
		to   *string
		flag string
	}{
		{&c.DataDir, f.dataDir}, {&c.Listen, f.config.Listen}, {&c.TLSCert, f.config.TLSCert}, {&c.TLSKey, f.config.TLSKey},
		{&c.TokenFile, f.config.TokenFile}, {&c.Log.Format, f.config.Log.Format}, {&c.Log.Level, f.config.Log.Level},
	} {
		if p.flag != "" {
			*p.to = p.flag
		}
	}
	if f.databaseURL != "" {
		c.DatabaseURL = config.NewSecret(f.databaseURL)
	}
	if f.hosts != "" {
		c.AllowedHosts = strings.Split(f.hosts, ",")
	}
	c, err = c.Complete(lookup)
	if err != nil {
		return c, err
	}
	return c, c.CheckEventStorage()
}

// serve runs the engine and the scheduler on the store, and serves the API at a
// network address and at the socket in the data directory, until ctx ends.
func (in *invocation) serve(ctx context.Context, c config.Runner, readyFile string) (err error) {
	log := runner.NewLog(in.errOut, c.Log.Format == "json", level(c.Log.Level))
	if err := tracing.Check(os.Getenv); err != nil {
		return jobs.Invalid("OTEL_EXPORTER_OTLP_PROTOCOL", "Traces cannot be sent", err.Error()+".",
			"Set it to http/protobuf and the endpoint to the collector's HTTP port (4318), or set OTEL_TRACES_EXPORTER to none")
	}
	tracing.OnError(func(err error) { log.WarnContext(ctx, "traces could not be sent", "error", err.Error()) })
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return &jobs.Error{Code: jobs.CodeStore, Attribute: "data_dir", Summary: "The data directory " + c.DataDir + " cannot be made",
			Detail: err.Error() + ".", Next: "Set --data-dir (LYTICS_DATA_DIR) to a directory that this user can make or write to"}
	}
	if err := ownership.Directory(c.DataDir); err != nil {
		return fmt.Errorf("the token of the API and the socket are kept in the data directory: %w", err)
	}
	env, _ := in.LookupEnv(api.TokenEnv)
	ready := Ready{PID: os.Getpid()}
	if env == "" {
		if ready.TokenFile = c.TokenFile; ready.TokenFile == "" {
			ready.TokenFile = filepath.Join(c.DataDir, api.TokenFile)
		}
	}
	token, made, err := api.LoadToken(env, ready.TokenFile)
	if err != nil {
		return err
	}
	if made {
		log.InfoContext(ctx, "created a token for the API and the page", "file", ready.TokenFile)
	}
	if c.Listen == "" {
		c.Listen = api.DefaultListen
	}
	network, names, err := api.Listen(ctx, c.Listen, c.TLSCert, c.TLSKey)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeListener(network)) }()
	ready.URL = runnerURL(network, c.TLSCert != "", names)
	socket, err := api.ListenSocket(ctx, c.DataDir, ready.URL, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, socket.Close()) }()

	options := in.runnerOptions(c)
	workers, err := in.workers(c, log)
	if err != nil {
		return err
	}
	if workers != nil {
		options.Workers = workers
		defer func() { err = errors.Join(err, workers.Close()) }()
	}
	e := engine.New(options)
	defer func() { err = errors.Join(err, e.Close()) }()
	var server *api.Server
	daemon, err := runner.New(e, runner.Config{
		MaxRuns: c.MaxRuns, Alerts: runner.AlertsOf(c.Alerts),
		Metrics:           runner.MetricsConfig{WithoutJobs: c.Metrics.PerJob != nil && !*c.Metrics.PerJob, MaxJobs: c.Metrics.MaxJobs},
		AllowPrivateHosts: config.Bool(c.AllowPrivateHosts), Log: log, Version: in.Version,
		Retention: time.Duration(c.RetentionDays) * 24 * time.Hour, AuditRetention: time.Duration(c.AuditDays) * 24 * time.Hour,
		Services: []runner.Service{
			{Name: "socket", Run: func(ctx context.Context) error { return api.Serve(ctx, socket, server.Local(), log, shutdownGrace) }},
			{Name: "http", Run: func(ctx context.Context) error {
				stop := context.AfterFunc(ctx, server.Stop)
				defer stop()
				log.InfoContext(ctx, "the API and the page are served", "url", ready.URL, "data_dir", c.DataDir)
				if err := writeReady(readyFile, ready); err != nil {
					return err
				}
				return api.Serve(ctx, network, server.Handler(), log, shutdownGrace)
			}},
		},
	})
	if err != nil {
		return err
	}
	if workers != nil {
		for _, m := range workers.Collectors() {
			if err := daemon.Registry().Register(m); err != nil {
				return err
			}
		}
	}
	server = api.New(api.Config{
		API: daemon.API(), Token: token, LocalToken: socket.Token, LocalUser: engine.OSUser(), Release: in.Version,
		Configured: configuredTokens(c.Tokens), Tokens: daemon.API(), Hosts: append(names, c.AllowedHosts...),
		Page: page.New(page.Options{
			API: daemon.API(), Sessions: daemon.API(), Version: in.Version,
			SignIn:  func(r *http.Request, t string) (jobs.Actor, time.Duration, error) { return server.SignIn(r, t) },
			TokenOf: func(ctx context.Context, hash jobs.TokenHash) (jobs.Actor, error) { return server.TokenOf(ctx, hash) },
		}),
		Metrics: daemon.Metrics(), Ready: daemon.Ready, Log: log,
	})
	return daemon.Run(ctx)
}

func configuredTokens(tokens []config.Token) []api.ConfiguredToken {
	out := make([]api.ConfiguredToken, 0, len(tokens))
	for _, t := range tokens {
		out = append(out, api.ConfiguredToken{Name: t.Name, Role: jobs.Role(t.Role), Hash: t.Hash()})
	}
	return out
}

func level(name string) slog.Level {
	var l slog.Level
	// The configuration was validated; an empty name is info.
	_ = l.UnmarshalText([]byte(name))
	return l
}

// closeListener closes a listener that its server may have closed already.
func closeListener(l net.Listener) error {
	if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// runnerURL is the runner's URL for clients on this machine.
func runnerURL(l net.Listener, secure bool, names []string) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return ""
	}
	scheme := "http"
	if secure {
		scheme = "https"
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() && len(names) > 0 {
		host = names[0]
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

func writeReady(file string, r Ready) error {
	if file == "" {
		return nil
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	// A process that waits for the file must not read half of it.
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
