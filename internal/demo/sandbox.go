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
	S3       struct {
		Endpoint  string `json:"endpoint"`
		Region    string `json:"region"`
		Bucket    string `json:"bucket"`
		AccessKey string `json:"access_key"`
		SecretKey string `json:"secret_key"`
	} `json:"s3"`

	process *exec.Cmd
	stdin   io.Closer
}

// startTimeout bounds the start, with the making or loading of data.
const startTimeout = 5 * time.Minute

func startSandbox(ctx context.Context, binary string, args []string) (*sandbox, error) {
	dir, err := os.MkdirTemp("", "lytics-demo")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ready := filepath.Join(dir, "ready.json")
	s := &sandbox{process: exec.CommandContext(context.WithoutCancel(ctx), binary, append([]string{"-ready-file", ready, "-exit-with-parent"}, args...)...)}
	// The sandbox ends when this pipe does, however this process ends.
	if s.stdin, err = s.process.StdinPipe(); err != nil {
		return nil, err
	}
	s.process.Stdout, s.process.Stderr = indent{os.Stdout}, indent{os.Stderr}
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("the sandbox does not start: %w", err)
	}
	exited := make(chan error, 1)
	go func() { exited <- s.process.Wait() }()
	deadline := time.After(startTimeout)
	for {
		if text, err := os.ReadFile(ready); err == nil {
			return s, json.Unmarshal(text, s)
		}
		select {
		case err := <-exited:
			return nil, fmt.Errorf("the sandbox ended before it was ready: %w", err)
		case <-deadline:
			return nil, errors.Join(fmt.Errorf("the sandbox was not ready after %s", startTimeout), s.stop())
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), s.stop())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *sandbox) stop() error { return s.stdin.Close() }

// query runs a statement through the Databricks driver and gives the cells as
// text; NULL is "NULL".
func (s *sandbox) query(ctx context.Context, statement string) (columns []string, cells [][]string, err error) {
	connector, err := dbsql.NewConnector(
		dbsql.WithServerHostname(s.Host), dbsql.WithPort(s.Port), dbsql.WithHTTPPath(s.HTTPPath), dbsql.WithAccessToken(s.Token),
		dbsql.WithTransport(loopback{}), dbsql.WithSessionParams(map[string]string{"timezone": "UTC"}),
	)
	if err != nil {
		return nil, nil, err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, statement)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", statement, err)
	}
	defer func() { _ = rows.Close() }()
	if columns, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	for rows.Next() {
		values, pointers := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return nil, nil, err
		}
		line := make([]string, len(columns))
		for i, v := range values {
			switch v := v.(type) {
			case nil:
				line[i] = "NULL"
			case time.Time:
				line[i] = v.UTC().Format("2006-01-02 15:04:05.999999")
			case []byte:
				line[i] = string(v)
			default:
				line[i] = fmt.Sprint(v)
			}
		}
		cells = append(cells, line)
	}
	return columns, cells, rows.Err()
}

// loopback answers the driver's question for feature flags, which it asks a
// https address whatever it was configured with, and passes on the rest.
type loopback struct{}

func (loopback) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" {
		return nil, errors.New("the demo's warehouse is on plain http")
	}
	return http.DefaultTransport.RoundTrip(r)
}
