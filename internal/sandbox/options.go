package main

import (
	"cmp"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/front"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
)

// options are the options of the command line.
type options struct {
	listen, s3Listen string
	tls              bool
	caFile           string
	token, forbidden string
	client           front.ServicePrincipal
	bucket           string
	credential       objectstore.Credential
	role, externalID string
	roleMaxSession   time.Duration
	storage          string
	external         bool
	shortLived       bool
	volumes          []string
	engine           string
	sparkHome        string
	sparkURL         string
	record           string
	profile          bool
	compare          string
	data             string
	memoryLimit      string
	seed             bool
	seedRows         int
	loads            []load
	results          front.Results
	linkTTL          time.Duration
	directWait       time.Duration
	zone             string
	faults           []fault.Fault
	readyFile        string
	admin            bool
	exitWithParent   bool
}

// load is a file of -load, and the table to create from it.
type load struct{ table, file string }

const warehouseID = "sandbox"

func parse(args []string, output io.Writer) (options, error) {
	var o options
	var results string
	var port, s3Port int
	f := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	f.SetOutput(output)
	f.Usage = func() {
		_, _ = fmt.Fprintf(output, "A local stand-in for a Databricks SQL warehouse and for S3.\n\nFlags:\n")
		f.PrintDefaults()
	}
	f.StringVar(&o.listen, "listen", "", "loopback `address` of the warehouse (default 127.0.0.1:0: any free port)")
	f.StringVar(&o.s3Listen, "s3-listen", "", "loopback `address` of the S3 endpoint (default 127.0.0.1:0)")
	f.IntVar(&port, "port", 0, "short for -listen 127.0.0.1:`PORT`")
	f.IntVar(&s3Port, "s3-port", 0, "short for -s3-listen 127.0.0.1:`PORT`")
	f.BoolVar(&o.tls, "tls", false, "serve the warehouse over https, with a generated certificate")
	f.StringVar(&o.caFile, "ca-file", "", "`file` for the certificate authority of -tls (default ca.pem in the data directory)")
	f.StringVar(&o.token, "token", "", "personal access `token` that is accepted (default: a new one)")
	f.StringVar(&o.forbidden, "forbidden-token", "", "`token` that is known but not permitted: 403")
	f.StringVar(&o.client.ID, "client-id", "", "`id` of the service principal for OAuth (default: a new one)")
	f.StringVar(&o.client.Secret, "client-secret", "", "its OAuth `secret` (default: a new one)")
	f.DurationVar(&o.client.TTL, "client-token-ttl", time.Hour, "how long its access tokens are valid")
	f.StringVar(&o.bucket, "s3-bucket", "sandbox", "`name` of the bucket")
	f.StringVar(&o.credential.AccessKey, "s3-access-key", "", "access `key` of S3 (default: a new one)")
	f.StringVar(&o.credential.SecretKey, "s3-secret-key", "", "secret `key` of S3 (default: a new one)")
	f.StringVar(
		&o.role,
		"s3-role-arn",
		"arn:aws:iam::000000000000:role/sandbox",
		"`ARN` of the role for AssumeRole",
	)
	f.StringVar(&o.externalID, "s3-external-id", "", "external `id` that AssumeRole requires")
	f.DurationVar(&o.roleMaxSession, "s3-role-max-session", time.Hour, "longest session of the role")
	f.StringVar(
		&o.storage,
		"s3-storage-credential",
		"sandbox_storage",
		"`name` of the storage credential with which COPY INTO may read the bucket",
	)
	f.BoolVar(&o.external, "s3-external-location", false, "let COPY INTO read the bucket without a credential, as an external location does")
	f.BoolVar(&o.shortLived, "s3-short-lived", false, "refuse the long-lived access key in COPY INTO")
	f.Func("volume", "a Unity Catalog volume: `catalog.schema.volume`; repeatable (default main.default.staging)", func(text string) error {
		o.volumes = append(o.volumes, text)
		return nil
	})
	f.StringVar(&o.engine, "engine", engineDuckDB, "SQL `engine`: duckdb, or spark, a real Apache Spark with Delta")
	f.StringVar(&o.sparkHome, "spark-home", "", "`directory` into which make spark installed Spark (default build/spark of the repository)")
	f.StringVar(&o.sparkURL, "spark-url", "", "`URL` of a Spark that another sandbox of this machine started, to share it")
	f.StringVar(&o.record, "record", "", "`file` to append every statement to, with digests of its result: JSON, one object a line")
	f.StringVar(
		&o.compare,
		"compare",
		"",
		"with -engine spark: `file` to append a comparison with -engine duckdb to, statement by statement: JSON, one object a line",
	)
	f.BoolVar(&o.profile, "profile", false, "count the rows that each statement scans: for GET /sandbox/statements (duckdb), or in Spark's event log, in the directory events of -data (spark)")
	f.StringVar(&o.data, "data", "", "`directory` that keeps tables and objects (default: a temporary one, removed at the end)")
	f.StringVar(
		&o.memoryLimit,
		"memory-limit",
		"",
		"most memory of DuckDB, a `size` such as 2GB; beyond it, DuckDB writes to the data directory (default 4GB, or less on a small machine)",
	)
	f.BoolVar(&o.seed, "seed", false, "create example data: main.sales.customers and more")
	f.IntVar(&o.seedRows, "seed-rows", 0, "`rows` of main.sales.customers with -seed (default 100000)")
	f.Func("load", "load a Parquet or CSV file: `catalog.schema.table=FILE`; repeatable", func(text string) error {
		table, file, ok := strings.Cut(text, "=")
		if !ok || strings.Count(table, ".") != 2 || file == "" {
			return errors.New("want catalog.schema.table=FILE")
		}
		o.loads = append(o.loads, load{table, file})
		return nil
	})
	f.StringVar(&results, "results", "auto", "`format` of results: arrow, cloudfetch, column, or auto, as Databricks chooses")
	f.DurationVar(&o.linkTTL, "link-ttl", 15*time.Minute, "how long a CloudFetch link is valid")
	f.DurationVar(&o.directWait, "direct-wait", 5*time.Second, "how long a statement may take before the client has to poll for its result")
	f.StringVar(&o.zone, "session-zone", "UTC", "time `zone` of sessions that set none")
	f.Func("fault", "a fault from the start, as `key=value,...` or JSON; repeatable; see the README", func(text string) error {
		parsed, err := fault.Parse(text)
		o.faults = append(o.faults, parsed)
		return err
	})
	f.StringVar(&o.readyFile, "ready-file", "", "`file` to write when everything is ready: all values as JSON")
	f.BoolVar(&o.admin, "admin", true, "serve the endpoints under /sandbox/, which set faults and list the statements received")
	f.BoolVar(
		&o.exitWithParent,
		"exit-with-parent",
		false,
		"end when standard input, if it is a pipe, is closed, or when the parent process ends",
	)
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: the sandbox takes flags only", f.Arg(0))
	}
	given := map[string]bool{}
	f.Visit(func(f *flag.Flag) { given[f.Name] = true })
	o.results = front.Results(results)
	return o, o.validate(given, port, s3Port)
}

func (o *options) validate(given map[string]bool, port, s3Port int) (err error) {
	if o.listen, err = address("listen", o.listen, "port", port, given); err != nil {
		return err
	}
	if o.s3Listen, err = address("s3-listen", o.s3Listen, "s3-port", s3Port, given); err != nil {
		return err
	}
	switch {
	case o.engine != engineDuckDB && o.engine != engineSpark:
		return fmt.Errorf("-engine %s does not exist; choose duckdb or spark", o.engine)
	case o.engine != engineSpark && (given["spark-home"] || given["spark-url"] || given["compare"]):
		return errors.New("-spark-home, -spark-url and -compare need -engine spark")
	case o.profile && o.engine != engineDuckDB && (o.data == "" || o.sparkURL != ""):
		return errors.New("-profile with -engine spark needs -data, where the Spark that it starts writes its event log, and no -spark-url")
	case given["memory-limit"] && o.engine != engineDuckDB:
		return errors.New("-memory-limit needs -engine duckdb")
	case given["seed-rows"] && !o.seed:
		return errors.New("-seed-rows needs -seed")
	case o.seed && given["seed-rows"] && o.seedRows < 1:
		return errors.New("-seed-rows must be at least 1")
	case given["ca-file"] && !o.tls:
		return errors.New("-ca-file needs -tls")
	case !slices.Contains([]front.Results{front.ResultsAuto, front.ResultsArrow, front.ResultsCloudFetch, front.ResultsColumn}, o.results):
		return fmt.Errorf("-results %s does not exist; choose auto, arrow, cloudfetch or column", o.results)
	case o.linkTTL <= 0 || o.directWait <= 0:
		return errors.New("-link-ttl and -direct-wait must be positive")
	}
	if o.sparkHome == "" {
		o.sparkHome = filepath.Join("..", "..", "build", "spark") // from internal/sandbox
		if _, err := os.Stat("GNUmakefile"); err == nil {
			o.sparkHome = filepath.Join("build", "spark") // from the repository's root
		}
	}
	if len(o.volumes) == 0 {
		o.volumes = []string{"main.default.staging"}
	}
	o.seedRows = cmp.Or(o.seedRows, 100_000)
	// Generated at each start: other programs on this machine could guess fixed ones.
	o.token = cmp.Or(o.token, "dapi"+strings.ToLower(rand.Text()))
	o.client.ID = cmp.Or(o.client.ID, "sp-"+strings.ToLower(rand.Text()))
	o.client.Secret = cmp.Or(o.client.Secret, "dose"+strings.ToLower(rand.Text()))
	o.credential.AccessKey = cmp.Or(o.credential.AccessKey, "AKIA"+rand.Text()[:16])
	o.credential.SecretKey = cmp.Or(o.credential.SecretKey, rand.Text()+rand.Text()[:14])
	return nil
}

// address combines -listen and -port, and refuses an address that is not
// loopback: the admin endpoints require no token.
func address(name, listen, short string, port int, given map[string]bool) (string, error) {
	if given[name] && given[short] {
		return "", fmt.Errorf("-%s and -%s set the same address: give only one of them", name, short)
	}
	if listen == "" {
		listen = fmt.Sprintf("127.0.0.1:%d", port)
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("-%s %s is not an address such as 127.0.0.1:8080: %w", name, listen, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", fmt.Errorf(
			"-%s %s is not a loopback address; use one such as 127.0.0.1:0, since the sandbox serves this machine only",
			name,
			listen,
		)
	}
	return listen, nil
}
