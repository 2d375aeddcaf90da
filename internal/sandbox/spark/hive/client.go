// Package hive is a client of the Spark Thrift Server: the part of HiveServer2's
// protocol over HTTP that executes statements and reads their rows.
package hive

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
)

// user is the result of current_user().
const user = "sandbox@example.com"

// Client opens sessions on one server.
type Client struct {
	url  string
	http *http.Client
}

// NewClient returns a client of the server at url, which ends in /cliservice.
func NewClient(url string) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	transport.Proxy = nil
	transport.MaxIdleConnsPerHost = 16
	return &Client{url: url, http: &http.Client{Transport: transport}}
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// ServerError is an error that the server reports.
type ServerError struct {
	Message  string
	SQLState string
}

func (e *ServerError) Error() string { return e.Message }

// LostError is returned if the server cannot be reached or does not know the session.
type LostError struct{ Err error }

func (e *LostError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *LostError) Unwrap() error { return e.Err }

// rpc makes one call, with its own Thrift HTTP client, since a client holds the
// answer of only one call.
func rpc[A any](ctx context.Context, c *Client, call func(*tcli.TCLIServiceClient) (A, error), status func(A) *tcli.TStatus) (A, error) {
	var zero A
	transport, err := thrift.NewTHttpClientWithOptions(c.url, thrift.THttpClientOptions{Client: c.http})
	if err != nil {
		return zero, err
	}
	// The server requires a user name even without authentication.
	if h, ok := transport.(*thrift.THttpClient); ok {
		h.SetHeader("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":sandbox")))
	}
	defer func() { _ = transport.Close() }()
	protocol := thrift.NewTBinaryProtocolConf(transport, &thrift.TConfiguration{MaxMessageSize: 1 << 30})
	answer, err := call(tcli.NewTCLIServiceClient(thrift.NewTStandardClient(protocol, protocol)))
	if err != nil {
		if ctx.Err() != nil {
			return zero, context.Cause(ctx)
		}
		return zero, &LostError{err}
	}
	if s := status(answer); s.GetStatusCode() == tcli.TStatusCode_ERROR_STATUS || s.GetStatusCode() == tcli.TStatusCode_INVALID_HANDLE_STATUS {
		e := &ServerError{Message: s.GetErrorMessage(), SQLState: s.GetSqlState()}
		if s.GetStatusCode() == tcli.TStatusCode_INVALID_HANDLE_STATUS {
			return zero, &LostError{e}
		}
		return zero, e
	}
	return answer, nil
}

// Session is a session of the server.
type Session struct {
	client *Client
	handle *tcli.TSessionHandle
}

// OpenSession starts a session. conf holds Spark settings, or prefixed keys such as
// "set:hivevar:...".
func (c *Client) OpenSession(ctx context.Context, conf map[string]string) (*Session, error) {
	name := user
	answer, err := rpc(ctx, c, func(t *tcli.TCLIServiceClient) (*tcli.TOpenSessionResp, error) {
		return t.OpenSession(ctx, &tcli.TOpenSessionReq{
			ClientProtocol: tcli.TProtocolVersion_HIVE_CLI_SERVICE_PROTOCOL_V10,
			Username:       &name, Configuration: conf,
		})
	}, (*tcli.TOpenSessionResp).GetStatus)
	if err != nil {
		return nil, err
	}
	return &Session{client: c, handle: answer.SessionHandle}, nil
}

// Close ends the session.
func (s *Session) Close(ctx context.Context) error {
	_, err := rpc(ctx, s.client, func(t *tcli.TCLIServiceClient) (*tcli.TCloseSessionResp, error) {
		return t.CloseSession(ctx, &tcli.TCloseSessionReq{SessionHandle: s.handle})
	}, (*tcli.TCloseSessionResp).GetStatus)
	return err
}

// Execute executes a statement and returns when its rows can be fetched.
// Cancelling ctx cancels the statement.
func (s *Session) Execute(ctx context.Context, statement string) (*Operation, error) {
	// Submitting is not cancelled: without the handle, the statement itself could
	// not be cancelled.
	submit := context.WithoutCancel(ctx)
	answer, err := rpc(submit, s.client, func(t *tcli.TCLIServiceClient) (*tcli.TExecuteStatementResp, error) {
		return t.ExecuteStatement(submit, &tcli.TExecuteStatementReq{SessionHandle: s.handle, Statement: statement, RunAsync: true})
	}, (*tcli.TExecuteStatementResp).GetStatus)
	if err != nil {
		return nil, err
	}
	op := &Operation{client: s.client, handle: answer.OperationHandle}
	if err := op.wait(ctx); err != nil {
		return nil, errors.Join(err, op.Close(submit))
	}
	return op, nil
}

// Operation is a statement whose rows can be fetched.
type Operation struct {
	client *Client
	handle *tcli.TOperationHandle
}

// Polling starts with a short interval, since most statements are quick.
const (
	firstPoll = 2 * time.Millisecond
	lastPoll  = 200 * time.Millisecond
)

func (o *Operation) wait(ctx context.Context) error {
	pause := firstPoll
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return o.cancel(ctx)
		case <-timer.C:
		}
		answer, err := rpc(ctx, o.client, func(t *tcli.TCLIServiceClient) (*tcli.TGetOperationStatusResp, error) {
			return t.GetOperationStatus(ctx, &tcli.TGetOperationStatusReq{OperationHandle: o.handle})
		}, (*tcli.TGetOperationStatusResp).GetStatus)
		switch {
		case err != nil && ctx.Err() != nil:
			return o.cancel(ctx)
		case err != nil:
			return err
		}
		switch state := answer.GetOperationState(); state {
		case tcli.TOperationState_FINISHED_STATE:
			return nil
		case tcli.TOperationState_ERROR_STATE:
			return &ServerError{Message: answer.GetErrorMessage(), SQLState: answer.GetSqlState()}
		case tcli.TOperationState_INITIALIZED_STATE, tcli.TOperationState_PENDING_STATE, tcli.TOperationState_RUNNING_STATE:
		default:
			return &ServerError{
				Message:  fmt.Sprintf("the statement ended as %s: %s", state, answer.GetErrorMessage()),
				SQLState: answer.GetSqlState(),
			}
		}
		pause = min(pause*2, lastPoll)
		timer.Reset(pause)
	}
}

func (o *Operation) cancel(ctx context.Context) error {
	out := context.WithoutCancel(ctx)
	_, err := rpc(out, o.client, func(t *tcli.TCLIServiceClient) (*tcli.TCancelOperationResp, error) {
		return t.CancelOperation(out, &tcli.TCancelOperationReq{OperationHandle: o.handle})
	}, (*tcli.TCancelOperationResp).GetStatus)
	return errors.Join(context.Cause(ctx), err)
}

// HasRows reports whether the statement has a result set.
func (o *Operation) HasRows() bool { return o.handle.HasResultSet }

// Schema describes the result's columns.
func (o *Operation) Schema(ctx context.Context) ([]*tcli.TColumnDesc, error) {
	answer, err := rpc(ctx, o.client, func(t *tcli.TCLIServiceClient) (*tcli.TGetResultSetMetadataResp, error) {
		return t.GetResultSetMetadata(ctx, &tcli.TGetResultSetMetadataReq{OperationHandle: o.handle})
	}, (*tcli.TGetResultSetMetadataResp).GetStatus)
	if err != nil {
		return nil, err
	}
	return answer.GetSchema().GetColumns(), nil
}

// Fetch returns the next rows, by column. No rows means the end of the result: the
// server does not report whether there are more.
func (o *Operation) Fetch(ctx context.Context, maxRows int64) (*tcli.TRowSet, error) {
	answer, err := rpc(ctx, o.client, func(t *tcli.TCLIServiceClient) (*tcli.TFetchResultsResp, error) {
		return t.FetchResults(
			ctx,
			&tcli.TFetchResultsReq{OperationHandle: o.handle, Orientation: tcli.TFetchOrientation_FETCH_NEXT, MaxRows: maxRows},
		)
	}, (*tcli.TFetchResultsResp).GetStatus)
	if err != nil {
		return nil, err
	}
	return answer.GetResults(), nil
}

// Close closes the statement, and cancels it if it is still running.
func (o *Operation) Close(ctx context.Context) error {
	_, err := rpc(ctx, o.client, func(t *tcli.TCLIServiceClient) (*tcli.TCloseOperationResp, error) {
		return t.CloseOperation(ctx, &tcli.TCloseOperationReq{OperationHandle: o.handle})
	}, (*tcli.TCloseOperationResp).GetStatus)
	return err
}
