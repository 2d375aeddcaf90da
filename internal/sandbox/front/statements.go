package front

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// protocol is the protocol version that this server supports.
const protocol = tcli.TProtocolVersion_SPARK_CLI_SERVICE_PROTOCOL_V8

// OpenSession starts a session.
func (h *handler) OpenSession(ctx context.Context, req *tcli.TOpenSessionReq) (*tcli.TOpenSessionResp, error) {
	status := func(s *tcli.TStatus) *tcli.TOpenSessionResp {
		return &tcli.TOpenSessionResp{Status: s, ServerProtocolVersion: protocol}
	}
	return serve(ctx, h, rpc[*tcli.TOpenSessionResp]{
		name: "OpenSession", status: status,
		run: func() (*tcli.TOpenSessionResp, error) {
			o := h.sessionOptions(req.Configuration)
			if n := req.InitialNamespace; n != nil {
				o.Catalog, o.Schema = n.GetCatalogName(), n.GetSchemaName()
			}
			sess, err := h.sessions.openSession(ctx, o)
			if errors.Is(err, warehouse.ErrStarting) {
				return nil, err
			}
			if err != nil {
				return status(errorStatus(err)), nil
			}
			out, many := status(success()), true
			out.SessionHandle = &tcli.TSessionHandle{SessionId: sess.id.handle()}
			out.Configuration, out.InitialNamespace, out.CanUseMultipleCatalogs = req.Configuration, req.InitialNamespace, &many
			return out, nil
		},
	})
}

// CloseSession ends a session and its operations.
func (h *handler) CloseSession(ctx context.Context, req *tcli.TCloseSessionReq) (*tcli.TCloseSessionResp, error) {
	status := func(s *tcli.TStatus) *tcli.TCloseSessionResp { return &tcli.TCloseSessionResp{Status: s} }
	sess, err := h.sessions.get(req.SessionHandle)
	if err != nil {
		return nil, err
	}
	return serve(ctx, h, rpc[*tcli.TCloseSessionResp]{
		name: "CloseSession", session: sess, status: status,
		run: func() (*tcli.TCloseSessionResp, error) {
			if err := h.sessions.close(sess); err != nil {
				return status(errorStatus(err)), nil
			}
			return status(success()), nil
		},
	})
}

// ExecuteStatement starts a statement, and returns its result if it finishes
// soon enough.
func (h *handler) ExecuteStatement(ctx context.Context, req *tcli.TExecuteStatementReq) (*tcli.TExecuteStatementResp, error) {
	status := func(s *tcli.TStatus) *tcli.TExecuteStatementResp { return &tcli.TExecuteStatementResp{Status: s} }
	sess, err := h.sessions.get(req.SessionHandle)
	if err != nil {
		h.journal.addRejected("ExecuteStatement", req.Statement, nil, 0)
		return nil, err
	}
	return serve(ctx, h, rpc[*tcli.TExecuteStatementResp]{
		name: "ExecuteStatement", text: req.Statement, session: sess, status: status,
		run: func() (*tcli.TExecuteStatementResp, error) {
			params, err := parameters(req.Parameters)
			if err != nil {
				return status(errorStatus(err)), nil
			}
			op := &operation{
				kind: tcli.TOperationType_EXECUTE_STATEMENT, text: req.Statement, session: sess,
				startDelay: exchangeOf(ctx).startDelay, request: resultRequestOf(req),
				run: func(ctx context.Context) (warehouse.Result, error) {
					return sess.engine.Execute(ctx, req.Statement, params)
				},
			}
			if hit, ok := h.options.Faults.Trigger(fault.Call{Name: "ExecuteStatement", Text: req.Statement}, fault.StatementError); ok {
				op.run = func(context.Context) (warehouse.Result, error) { return nil, failureOf(hit) }
			}
			h.start(op)
			out := status(success())
			out.OperationHandle = op.handle()
			switch {
			case req.GetDirectResults != nil:
				out.DirectResults = h.directResults(ctx, op, req.GetDirectResults)
			case !req.RunAsync:
				op.wait(ctx, maxStatementTimeout*time.Second)
				if err := op.err(); err != nil {
					out.Status = errorStatus(err)
				}
			}
			return out, nil
		},
	})
}

// stateInMessage matches the SQLSTATE at the end of Databricks' messages.
var stateInMessage = regexp.MustCompile(`SQLSTATE: ([0-9A-Z]{5})`)

// failureOf is a failure that a fault asks for, with its SQLSTATE, that of its message, or
// HY000, which tells nothing.
func failureOf(hit fault.Hit) *failure {
	state := "HY000"
	if m := stateInMessage.FindStringSubmatch(hit.Message); m != nil {
		state = m[1]
	}
	return &failure{message: hit.Message, sqlState: cmp.Or(hit.SQLState, state)}
}

// parameters converts the bound values, in the order of their ordinals.
func parameters(in []*tcli.TSparkParameter) ([]warehouse.Parameter, error) {
	in = slices.Clone(in)
	slices.SortStableFunc(in, func(a, b *tcli.TSparkParameter) int { return cmp.Compare(a.GetOrdinal(), b.GetOrdinal()) })
	out := make([]warehouse.Parameter, len(in))
	for i, p := range in {
		if len(p.Arguments) > 0 {
			return nil, &warehouse.Error{
				Class: "UNSUPPORTED_FEATURE.PARAMETER_TYPE", SQLState: "0A000",
				Message: fmt.Sprintf(
					"The sandbox cannot bind the parameter %q of type %s: nested parameters are not supported.",
					p.GetName(),
					p.GetType(),
				),
			}
		}
		out[i] = warehouse.Parameter{Name: p.GetName(), Type: cmp.Or(p.GetType(), "STRING")}
		if v := p.Value; v != nil {
			var text string
			switch {
			case v.StringValue != nil:
				text = *v.StringValue
			case v.DoubleValue != nil:
				text = strconv.FormatFloat(*v.DoubleValue, 'g', -1, 64)
			case v.BooleanValue != nil:
				text = strconv.FormatBool(*v.BooleanValue)
			default:
				continue
			}
			out[i].Value = &text
		}
	}
	return out, nil
}

// GetOperationStatus returns the state of an operation.
func (h *handler) GetOperationStatus(ctx context.Context, req *tcli.TGetOperationStatusReq) (*tcli.TGetOperationStatusResp, error) {
	status := func(s *tcli.TStatus) *tcli.TGetOperationStatusResp { return &tcli.TGetOperationStatusResp{Status: s} }
	op, err := h.sessions.operation(req.OperationHandle)
	if err != nil {
		return status(errorStatus(err)), nil
	}
	return serve(ctx, h, rpc[*tcli.TGetOperationStatusResp]{
		name: "GetOperationStatus", text: op.text, session: op.session, status: status,
		run: func() (*tcli.TGetOperationStatusResp, error) { return op.status(), nil },
	})
}

// GetResultSetMetadata describes a result.
func (h *handler) GetResultSetMetadata(ctx context.Context, req *tcli.TGetResultSetMetadataReq) (*tcli.TGetResultSetMetadataResp, error) {
	status := func(s *tcli.TStatus) *tcli.TGetResultSetMetadataResp {
		return &tcli.TGetResultSetMetadataResp{Status: s}
	}
	op, err := h.sessions.operation(req.OperationHandle)
	if err != nil {
		return status(errorStatus(err)), nil
	}
	return serve(ctx, h, rpc[*tcli.TGetResultSetMetadataResp]{
		name: "GetResultSetMetadata", text: op.text, session: op.session, status: status,
		run: func() (*tcli.TGetResultSetMetadataResp, error) {
			if !op.over() {
				return status(
					errorStatus(&failure{message: "The statement is still running: its result is not described yet.", sqlState: "HY010"}),
				), nil
			}
			return op.metadata(), nil
		},
	})
}

// FetchResults returns the next rows.
func (h *handler) FetchResults(ctx context.Context, req *tcli.TFetchResultsReq) (*tcli.TFetchResultsResp, error) {
	status := func(s *tcli.TStatus) *tcli.TFetchResultsResp { return &tcli.TFetchResultsResp{Status: s} }
	op, err := h.sessions.operation(req.OperationHandle)
	if err != nil {
		return status(errorStatus(err)), nil
	}
	return serve(ctx, h, rpc[*tcli.TFetchResultsResp]{
		name: "FetchResults", text: op.text, session: op.session, status: status,
		run: func() (*tcli.TFetchResultsResp, error) {
			if hit, ok := h.options.Faults.Trigger(fault.Call{Name: "FetchResults", Text: op.text}, fault.FetchError); ok {
				return status(errorStatus(failureOf(hit))), nil
			}
			if !op.over() {
				return status(errorStatus(&failure{message: "The statement is still running: its rows cannot be fetched yet.", sqlState: "HY010"})), nil
			}
			return h.fetchPage(ctx, op, fetch{
				orientation: req.Orientation, offset: req.StartRowOffset,
				maxRows: req.MaxRows, maxBytes: req.GetMaxBytes(),
			}, req.GetIncludeResultSetMetadata()), nil
		},
	})
}

// CancelOperation stops a running statement. A finished statement keeps its state.
func (h *handler) CancelOperation(ctx context.Context, req *tcli.TCancelOperationReq) (*tcli.TCancelOperationResp, error) {
	status := func(s *tcli.TStatus) *tcli.TCancelOperationResp { return &tcli.TCancelOperationResp{Status: s} }
	op, err := h.sessions.operation(req.OperationHandle)
	if err != nil {
		return status(errorStatus(err)), nil
	}
	return serve(ctx, h, rpc[*tcli.TCancelOperationResp]{
		name: "CancelOperation", text: op.text, session: op.session, status: status,
		run: func() (*tcli.TCancelOperationResp, error) {
			if !op.over() {
				op.abort(tcli.TOperationState_CANCELED_STATE, errCanceled)
			}
			return status(success()), nil
		},
	})
}

// CloseOperation closes an operation. It succeeds for an unknown one: the client
// may repeat the call because the first answer was lost.
func (h *handler) CloseOperation(ctx context.Context, req *tcli.TCloseOperationReq) (*tcli.TCloseOperationResp, error) {
	status := func(s *tcli.TStatus) *tcli.TCloseOperationResp { return &tcli.TCloseOperationResp{Status: s} }
	op, err := h.sessions.operation(req.OperationHandle)
	if err != nil {
		return status(success()), nil //nolint:nilerr // already closed
	}
	return serve(ctx, h, rpc[*tcli.TCloseOperationResp]{
		name: "CloseOperation", text: op.text, session: op.session, status: status,
		run: func() (*tcli.TCloseOperationResp, error) {
			if err := h.sessions.closeOperation(op); err != nil {
				return status(errorStatus(err)), nil
			}
			return status(success()), nil
		},
	})
}
