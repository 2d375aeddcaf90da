// Package temptable adds Databricks' temporary tables to an engine. A temporary table
// belongs to its session. Here it is a table with a generated name, and a temporary
// view of it with the name from the statement, so it cannot be changed after its
// creation.
//
// It serves imports of sources without history, on both engines.
package temptable

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Wrap returns the engine with temporary tables.
func Wrap(e warehouse.Engine) warehouse.Engine { return engine{e} }

type engine struct{ warehouse.Engine }

func (e engine) OpenSession(ctx context.Context, o warehouse.SessionOptions) (warehouse.Session, error) {
	s, err := e.Engine.OpenSession(ctx, o)
	if err != nil {
		return nil, err
	}
	return &session{Session: s}, nil
}

type session struct {
	warehouse.Session

	mu sync.Mutex
	// tables are the tables behind the session's temporary tables.
	tables []string
}

// tablePrefix is the schema of the tables.
const tablePrefix = "main.default."

func (s *session) Execute(ctx context.Context, statement string, params []warehouse.Parameter) (warehouse.Result, error) {
	name, query, ok := parseCreate(statement)
	if !ok {
		return s.Session.Execute(ctx, statement, params)
	}
	random := make([]byte, 8)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	table := tablePrefix + "temporary_" + hex.EncodeToString(random)
	result, err := s.Session.Execute(ctx, "CREATE TABLE "+table+" AS "+query, params)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.tables = append(s.tables, table)
	s.mu.Unlock()
	view, err := s.Session.Execute(ctx, "CREATE TEMPORARY VIEW "+name+" AS SELECT * FROM "+table, nil)
	if err != nil {
		return nil, errors.Join(err, result.Close())
	}
	return result, view.Close()
}

// parseCreate parses CREATE TEMPORARY TABLE name AS query.
func parseCreate(statement string) (name, query string, ok bool) {
	// The check of the first word spares most statements the lexer.
	if start := strings.TrimSpace(statement); len(start) < 6 || !strings.EqualFold(start[:6], "CREATE") {
		return "", "", false
	}
	tokens, err := syntax.Lex(statement)
	if err != nil || len(tokens) < 6 {
		return "", "", false
	}
	words := tokens[0].Upper == "CREATE" && (tokens[1].Upper == "TEMPORARY" || tokens[1].Upper == "TEMP") && tokens[2].Upper == "TABLE"
	if !words || tokens[4].Upper != "AS" {
		return "", "", false
	}
	return statement[tokens[3].Start:tokens[3].End], statement[tokens[5].Start:], true
}

// closeTimeout bounds the clean-up after a session.
const closeTimeout = 20 * time.Second

// Close drops the session's temporary tables and closes the session.
func (s *session) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	s.mu.Lock()
	made := s.tables
	s.tables = nil
	s.mu.Unlock()
	for _, table := range made {
		// A lost session cannot drop its tables; that is no error.
		if r, err := s.Session.Execute(ctx, "DROP TABLE IF EXISTS "+table, nil); err == nil {
			_ = r.Close()
		}
	}
	return s.Session.Close()
}
