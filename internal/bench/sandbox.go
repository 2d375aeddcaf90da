package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
)

// sandbox is the local warehouse's process and how to reach it: the fields are
// those of its ready file.
type sandbox struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	HTTPPath string `json:"http_path"`
	Token    string `json:"token"`
	AdminURL string `json:"admin_url"`
	S3       struct {
		Endpoint  string `json:"endpoint"`
		Region    string `json:"region"`
		Bucket    string `json:"bucket"`
		AccessKey string `json:"access_key"`
		SecretKey string `json:"secret_key"`
	} `json:"s3"`

	stdin  io.Closer
	exited chan error
}

// startTimeout bounds the start; Spark's takes the longest.
const startTimeout = 3 * time.Minute

// duckdb starts the sandbox's own engine.
func (b *bench) duckdb(ctx context.Context) (*sandbox, error) {
	if b.sandbox != nil {
		return b.sandbox, nil
	}
	s, err := b.start(ctx, "duckdb")
	b.sandbox = s
	return s, err
}

func (b *bench) start(ctx context.Context, name string, args ...string) (*sandbox, error) {
	data := filepath.Join(b.dir, name)
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	ready := filepath.Join(b.dir, name+".json")
	args = append([]string{"-ready-file", ready, "-exit-with-parent", "-data", data, "-results", "arrow"}, args...)
	cmd := exec.CommandContext(context.WithoutCancel(ctx), b.options.sandbox, args...)
	stdin, err := cmd.StdinPipe() // the sandbox ends when this pipe does
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("the sandbox does not start: %w", err)
	}
	s := &sandbox{stdin: stdin, exited: make(chan error, 1)}
	go func() { s.exited <- cmd.Wait() }()
	deadline := time.After(startTimeout)
	for {
		if text, err := os.ReadFile(ready); err == nil {
			if err := json.Unmarshal(text, s); err != nil {
				return nil, err
			}
			return s, s.exec(ctx, "CREATE SCHEMA IF NOT EXISTS main.bench")
		}
		select {
		case err := <-s.exited:
			return nil, fmt.Errorf("the sandbox ended before it was ready: %w", err)
		case <-deadline:
			return nil, errors.Join(fmt.Errorf("the sandbox was not ready after %s", startTimeout), stdin.Close())
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), stdin.Close())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *sandbox) stop() error {
	err := s.stdin.Close()
	<-s.exited //nolint:errcheck // its end by our hand is no failure
	return err
}

func (s *sandbox) connector(options ...dbsql.ConnOption) (*sql.DB, error) {
	connector, err := dbsql.NewConnector(append([]dbsql.ConnOption{
		dbsql.WithServerHostname(s.Host), dbsql.WithPort(s.Port), dbsql.WithHTTPPath(s.HTTPPath), dbsql.WithAccessToken(s.Token),
		dbsql.WithTransport(loopback{}), dbsql.WithSessionParams(map[string]string{"timezone": "UTC"}),
	}, options...)...)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// exec runs statements.
func (s *sandbox) exec(ctx context.Context, statements ...string) (err error) {
	db, err := s.connector()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%.200s: %w", statement, err)
		}
	}
	return nil
}

// table makes main.bench.NAME with rows of about 120 bytes in ten columns,
// ordered as they came: some forty rows a second.
func (s *sandbox) table(ctx context.Context, name string, rows int) error {
	return s.exec(ctx, "DROP TABLE IF EXISTS main.bench."+name, "CREATE TABLE main.bench."+name+" AS "+tableRows(0, rows))
}

func tableRows(from, to int) string {
	return fmt.Sprintf(`SELECT id, timestamp_micros(1700000000000000 + id * 25000) AS ts,
		concat('user', id, '@example.com') AS email, concat('Name of user ', id %% 100000) AS name,
		CASE id %% 4 WHEN 0 THEN 'DE' WHEN 1 THEN 'US' WHEN 2 THEN 'FR' ELSE 'JP' END AS country,
		CAST(id %% 1000000 AS DECIMAL(12,2)) / CAST(4 AS DECIMAL(12,2)) AS amount, CAST(id %% 997 AS DOUBLE) / 7 AS score,
		id %% 3 = 0 AS active, date_add(DATE '2024-01-01', CAST(id %% 700 AS INT)) AS day,
		concat('note ', id %% 1000, ' of some length') AS note
		FROM range(%d, %d)`, from, to)
}

// loopback answers the driver's question for feature flags, which it asks a
// https address whatever it was configured with, and passes on the rest.
type loopback struct{}

func (loopback) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" {
		return nil, errors.New("the sandbox is on plain http")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// forget empties the list of statements that the sandbox received.
func (s *sandbox) forget(ctx context.Context) error {
	_, err := s.admin(ctx, http.MethodDelete)
	return err
}

// scanned adds up the rows of tables that the statements since read.
func (s *sandbox) scanned(ctx context.Context) (int64, error) {
	text, err := s.admin(ctx, http.MethodGet)
	if err != nil {
		return 0, err
	}
	var received struct {
		Statements []struct {
			RowsScanned int64 `json:"rows_scanned"`
		} `json:"statements"`
	}
	if err := json.Unmarshal(text, &received); err != nil {
		return 0, err
	}
	var rows int64
	for _, statement := range received.Statements {
		rows += statement.RowsScanned
	}
	return rows, nil
}

func (s *sandbox) admin(ctx context.Context, method string) (text []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, s.AdminURL+"/statements", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	return io.ReadAll(response.Body)
}
