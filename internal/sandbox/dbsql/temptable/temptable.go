// Package temptable gives an engine Databricks' temporary tables, which belong
// to a session: a table under a name of the session's own, and a temporary view
// of it under the name that was asked for. What it cannot show: changing such a
// table after it was made.
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

// Engine is the engine with temporary tables.
func Engine(e warehouse.Engine) warehouse.Engine { return engine{e} }

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
	// made are the tables behind the temporary ones.
	made []string
}

// place is where the tables are.
const place = "main.default."

func (s *session) Execute(ctx context.Context, statement string, params []warehouse.Parameter) (warehouse.Result, error) {
	name, query, ok := parse(statement)
	if !ok {
		return s.Session.Execute(ctx, statement, params)
	}
	random := make([]byte, 8)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	table := place + "temporary_" + hex.EncodeToString(random)
	result, err := s.Session.Execute(ctx, "CREATE TABLE "+table+" AS "+query, params)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.made = append(s.made, table)
	s.mu.Unlock()
	view, err := s.Session.Execute(ctx, "CREATE TEMPORARY VIEW "+name+" AS SELECT * FROM "+table, nil)
	if err != nil {
		return nil, errors.Join(err, result.Close())
	}
	return result, view.Close()
}

// parse reads CREATE TEMPORARY TABLE name AS query.
func parse(statement string) (name, query string, ok bool) {
	// Most statements are told apart without taking them to pieces.
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

// closeTimeout bounds what is done after a session's end.
const closeTimeout = 20 * time.Second

// Close drops the session's tables and ends it.
func (s *session) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	s.mu.Lock()
	made := s.made
	s.made = nil
	s.mu.Unlock()
	for _, table := range made {
		// A session that is lost drops nothing, and has nothing to say.
		if r, err := s.Session.Execute(ctx, "DROP TABLE IF EXISTS "+table, nil); err == nil {
			_ = r.Close()
		}
	}
	return s.Session.Close()
}
