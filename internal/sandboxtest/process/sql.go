package process

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
)

// Open gives sessions in UTC, through databricks-sql-go.
func (r Ready) Open(options ...dbsql.ConnOption) (*sql.DB, error) {
	connector, err := dbsql.NewConnector(append([]dbsql.ConnOption{
		dbsql.WithServerHostname(r.Host), dbsql.WithPort(r.Port), dbsql.WithHTTPPath(r.HTTPPath), dbsql.WithAccessToken(r.Token),
		dbsql.WithTransport(loopback{}), dbsql.WithSessionParams(map[string]string{"timezone": "UTC"}),
	}, options...)...)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
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
