package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest/process"
)

// sandbox is the local warehouse. It is passed to child processes as JSON.
type sandbox struct{ process.Sandbox }

// startTimeout bounds the start of the sandbox. Spark needs the longest.
const startTimeout = 3 * time.Minute

// duckdb starts a sandbox on DuckDB.
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
	started, err := process.Start(ctx, process.Options{
		Binary: b.options.sandbox, Args: append([]string{"-data", data, "-results", "arrow"}, args...), Stderr: os.Stderr, Timeout: startTimeout,
	})
	if err != nil {
		return nil, err
	}
	s := &sandbox{*started}
	return s, s.exec(ctx, "CREATE SCHEMA IF NOT EXISTS main.bench")
}

// exec runs statements.
func (s *sandbox) exec(ctx context.Context, statements ...string) (err error) {
	db, err := s.Open()
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

// table creates main.bench.NAME with rows of about 120 bytes in ten columns,
// ordered by timestamp, forty rows per second.
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

// forget clears the list of statements that the sandbox received.
func (s *sandbox) forget(ctx context.Context) error {
	_, err := s.admin(ctx, http.MethodDelete)
	return err
}

// statement is one that the sandbox received.
type statement struct {
	Text string `json:"text"`
	// RowsScanned is the number of table rows that a query has read.
	RowsScanned int64 `json:"rows_scanned"`
}

// statements returns the statements since forget.
func (s *sandbox) statements(ctx context.Context) ([]statement, error) {
	text, err := s.admin(ctx, http.MethodGet)
	if err != nil {
		return nil, err
	}
	var received struct {
		Statements []statement `json:"statements"`
	}
	err = json.Unmarshal(text, &received)
	return received.Statements, err
}

// scanned returns the number of table rows that the statements since forget
// have read.
func (s *sandbox) scanned(ctx context.Context) (rows int64, err error) {
	received, err := s.statements(ctx)
	for _, r := range received {
		rows += r.RowsScanned
	}
	return rows, err
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

// peakMemory returns the most memory that the sandbox's process has used, in bytes. Only Linux
// tells it of another process; elsewhere known is false.
func (s *sandbox) peakMemory() (bytes int64, known bool, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	for line := range strings.Lines(string(text)) {
		if kib, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kib), "kB")), 10, 64)
			return n << 10, err == nil, err
		}
	}
	return 0, false, errors.New("the system does not tell the peak memory of the sandbox")
}
