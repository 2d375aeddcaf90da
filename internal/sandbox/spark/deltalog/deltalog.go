// Package deltalog reads the transaction log of a Delta table: its commits and its
// schema. Spark's own statements show less of it, and are slow.
package deltalog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/sqltype"
)

// Commit is one version of a table.
type Commit struct {
	Version int64
	At      time.Time
	// Operation, Parameters and Metrics are as in DESCRIBE HISTORY.
	Operation    string
	Parameters   map[string]string
	Metrics      map[string]string
	UserMetadata string
	// Metadata is set if the commit changed it.
	Metadata *Metadata
}

// Metadata describes a table.
type Metadata struct {
	ID          string
	Description string
	Properties  map[string]string
	Partition   []string
	Columns     []sqltype.Column
	Created     time.Time
}

// ErrNotDelta is returned for a directory without a log.
var ErrNotDelta = errors.New("not a Delta table")

// Versions returns the versions whose commits are in the log of the table in dir,
// oldest first.
func Versions(dir string) ([]int64, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "_delta_log"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", dir, ErrNotDelta)
	}
	if err != nil {
		return nil, err
	}
	var out []int64
	for _, e := range entries {
		digits, ok := strings.CutSuffix(e.Name(), ".json")
		if n, err := strconv.ParseInt(digits, 10, 64); ok && err == nil && len(digits) == 20 {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, ErrNotDelta)
	}
	slices.Sort(out)
	return out, nil
}

// Read reads one commit.
func Read(dir string, version int64) (*Commit, error) {
	text, err := os.ReadFile(filepath.Join(dir, "_delta_log", fmt.Sprintf("%020d.json", version)))
	if err != nil {
		return nil, err
	}
	out := &Commit{Version: version}
	lines := bufio.NewReader(bytes.NewReader(text))
	for {
		line, readErr := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := out.action(line); err != nil {
				return nil, fmt.Errorf("version %d of %s: %w", version, dir, err)
			}
		}
		if errors.Is(readErr, io.EOF) { // reading from memory has no other error
			return out, nil
		}
	}
}

// action parses one line of a commit. It ignores files, which most lines are about.
func (c *Commit) action(line []byte) error {
	if !bytes.HasPrefix(line, []byte(`{"commitInfo"`)) && !bytes.HasPrefix(line, []byte(`{"metaData"`)) {
		return nil
	}
	var action struct {
		CommitInfo *struct {
			Timestamp           int64
			Operation           string
			OperationParameters map[string]json.RawMessage
			OperationMetrics    map[string]string
			UserMetadata        string
		}
		MetaData *struct {
			ID               string
			Description      string
			SchemaString     string
			PartitionColumns []string
			Configuration    map[string]string
			CreatedTime      int64
		}
	}
	if err := json.Unmarshal(line, &action); err != nil {
		return err
	}
	if i := action.CommitInfo; i != nil {
		c.At, c.Operation, c.Metrics, c.UserMetadata = time.UnixMilli(i.Timestamp).UTC(), i.Operation, i.OperationMetrics, i.UserMetadata
		c.Parameters = map[string]string{}
		for k, v := range i.OperationParameters {
			var text string
			if json.Unmarshal(v, &text) != nil {
				text = string(v)
			}
			c.Parameters[k] = text
		}
	}
	if m := action.MetaData; m != nil {
		columns, err := sqltype.ParseDelta(m.SchemaString)
		if err != nil {
			return err
		}
		c.Metadata = &Metadata{
			ID: m.ID, Description: m.Description, Properties: m.Configuration, Partition: m.PartitionColumns,
			Columns: columns, Created: time.UnixMilli(m.CreatedTime).UTC(),
		}
	}
	return nil
}

// Newest returns a table's current metadata and its last commit.
func Newest(dir string) (*Metadata, *Commit, error) {
	versions, err := Versions(dir)
	if err != nil {
		return nil, nil, err
	}
	var last *Commit
	for _, v := range slices.Backward(versions) {
		c, err := Read(dir, v)
		if err != nil {
			return nil, nil, err
		}
		if last == nil {
			last = c
		}
		if c.Metadata != nil {
			return c.Metadata, last, nil
		}
	}
	return nil, nil, fmt.Errorf("the log of %s no longer holds the table's schema", dir)
}
