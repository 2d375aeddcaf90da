package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest/process"
)

// sling moves the table to a file of JSON lines, one object a row.
type sling struct {
	source *process.Sandbox
	binary string
}

// newSling returns sling with its version.
func newSling(ctx context.Context, source *process.Sandbox, binary string) (s sling, version string, err error) {
	if binary == "" {
		return s, "", errors.New("-sling is not set: make bench-peers installs sling and sets it")
	}
	// Its commands run in directories of their own.
	s.source = source
	if s.binary, err = filepath.Abs(binary); err != nil {
		return s, "", err
	}
	cmd := exec.CommandContext(ctx, s.binary, "--version")
	cmd.Env = append(os.Environ(), "SLING_DISABLE_TELEMETRY=true")
	text, err := cmd.Output()
	if err != nil {
		return s, "", fmt.Errorf("%s --version: %w", s.binary, err)
	}
	_, version, _ = strings.Cut(string(text), "Version:")
	return s, "sling " + strings.TrimSpace(version), nil
}

// slingFile is the file that sling writes.
const slingFile = "rows.jsonl"

func (s sling) command(ctx context.Context, dir string) (*exec.Cmd, error) {
	connection, err := json.Marshal(map[string]string{
		"type": "databricks", "host": "127.0.0.1", "port": strconv.Itoa(s.source.Port), "http_path": s.source.HTTPPath,
		"token": s.source.Token, "catalog": "main", "schema": "bench",
		// Else sling has the warehouse write Parquet files to a volume that sling creates,
		// and reads these. The sandbox has no CREATE VOLUME; so sling reads the rows of the
		// statement, as the product does.
		"use_bulk": "false",
	})
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, s.binary, "run", "--src-conn", "SANDBOX", "--src-stream", "bench.peers",
		"--tgt-object", "file://"+filepath.ToSlash(filepath.Join(dir, slingFile)))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SANDBOX="+string(connection), "SSL_CERT_FILE="+s.source.CAFile,
		"SLING_HOME_DIR="+filepath.Join(dir, "home"), "SLING_DISABLE_TELEMETRY=true")
	return cmd, nil
}

// moved counts the lines of the file.
func (s sling) moved(dir string, _ []byte) (rows int, err error) {
	f, err := os.Open(filepath.Join(dir, slingFile))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r, part := bufio.NewReader(f), make([]byte, 1<<20)
	for {
		n, err := r.Read(part)
		rows += bytes.Count(part[:n], []byte{'\n'})
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
	}
}
