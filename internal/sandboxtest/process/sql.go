package process

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
)

// Open gives sessions in UTC, through databricks-sql-go.
func (r Ready) Open(options ...dbsql.ConnOption) (*sql.DB, error) {
	transport := http.DefaultTransport
	if r.CAFile != "" {
		authority, err := os.ReadFile(r.CAFile)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(authority) {
			return nil, fmt.Errorf("%s has no certificate", r.CAFile)
		}
		transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	}
	connector, err := dbsql.NewConnector(append([]dbsql.ConnOption{
		dbsql.WithServerHostname(r.Host), dbsql.WithPort(r.Port), dbsql.WithHTTPPath(r.HTTPPath), dbsql.WithAccessToken(r.Token),
		dbsql.WithTransport(withoutFlags{transport}), dbsql.WithSessionParams(map[string]string{"timezone": "UTC"}),
	}, options...)...)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// withoutFlags answers the driver's question for the flags of its telemetry, which it asks
// a https address whatever it was configured with, and which the sandbox does not have. It
// passes on the rest.
type withoutFlags struct{ http.RoundTripper }

func (t withoutFlags) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/api/2.0/connector-service/feature-flags/") {
		return &http.Response{
			StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"flags":[]}`)),
		}, nil
	}
	return t.RoundTripper.RoundTrip(r)
}

// Texts reads all rows as text, NULL being "NULL".
func Texts(rows *sql.Rows) ([][]string, error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out [][]string
	for rows.Next() {
		values, pointers := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return nil, err
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
		out = append(out, line)
	}
	return out, rows.Err()
}
