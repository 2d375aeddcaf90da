package sandboxtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/apache/arrow/go/v12/arrow"
	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/logger"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest/process"
)

func init() {
	// The driver logs statements that fail, with the credentials in them.
	if err := logger.SetLogLevel("disabled"); err != nil {
		panic(err)
	}
	// Its Arrow library sets the time zone of a shared type on first use, which
	// is a data race between connections. Set it here.
	if t, ok := arrow.FixedWidthTypes.Timestamp_us.(*arrow.TimestampType); ok {
		_, _ = t.GetZone()
	}
}

// Exec runs statements in one session, through databricks-sql-go.
func (s *Sandbox) Exec(tb testing.TB, statements ...string) {
	tb.Helper()
	s.session(tb, func(ctx context.Context, conn *sql.Conn) error {
		for _, statement := range statements {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
}

// Query runs a statement through databricks-sql-go and returns its rows as
// text, with NULL as "NULL".
func (s *Sandbox) Query(tb testing.TB, statement string, args ...any) [][]string {
	tb.Helper()
	var out [][]string
	s.session(tb, func(ctx context.Context, conn *sql.Conn) error {
		rows, err := conn.QueryContext(ctx, statement, args...)
		if err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
		defer func() { _ = rows.Close() }()
		out, err = process.Texts(rows)
		return errors.Join(err, rows.Err())
	})
	return out
}

func (s *Sandbox) session(tb testing.TB, do func(context.Context, *sql.Conn) error) {
	tb.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	if s.CAFile != "" {
		certificates, err := os.ReadFile(s.CAFile)
		if err != nil {
			tb.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(certificates)
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	}
	// SetToken may have changed the token since the start.
	reach := s.running.Ready
	reach.Token = s.Token
	db, err := reach.Open(dbsql.WithTransport(transport), dbsql.WithCloudFetch(false))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		tb.Fatalf("connecting to the sandbox: %v", err)
	}
	defer func() { _ = conn.Close() }()
	if err := do(ctx, conn); err != nil {
		tb.Fatal(err)
	}
}
