package front_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/thrift/lib/go/thrift"
	"github.com/pierrec/lz4/v4"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/front"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
)

// client calls the Thrift service without a driver.
type client struct {
	t *testing.T
	*tcli.TCLIServiceClient
	raw     *thrift.TStandardClient
	session *tcli.TSessionHandle
}

func (s *sandbox) client() *client {
	s.t.Helper()
	transport, err := thrift.NewTHttpClient(s.http.URL + "/sql/1.0/warehouses/w")
	if err != nil {
		s.t.Fatal(err)
	}
	transport.(*thrift.THttpClient).SetHeader("Authorization", "Bearer "+token)
	protocol := thrift.NewTBinaryProtocolConf(transport, nil)
	raw := thrift.NewTStandardClient(protocol, protocol)
	c := &client{t: s.t, TCLIServiceClient: tcli.NewTCLIServiceClient(raw), raw: raw}
	opened, err := c.OpenSession(s.t.Context(), &tcli.TOpenSessionReq{Configuration: map[string]string{"timezone": "Europe/Berlin"}})
	if err != nil {
		s.t.Fatal(err)
	}
	if opened.ServerProtocolVersion != 0xA508 || len(opened.SessionHandle.SessionId.GUID) != 16 {
		s.t.Fatalf("opened: %v", opened)
	}
	c.session = opened.SessionHandle
	return c
}

func yes() *bool { b := true; return &b }

// execute runs a statement with direct results of at most 1,000 rows.
func (c *client) execute(statement string, change func(*tcli.TExecuteStatementReq)) *tcli.TExecuteStatementResp {
	c.t.Helper()
	req := &tcli.TExecuteStatementReq{
		SessionHandle: c.session, Statement: statement, RunAsync: true,
		GetDirectResults: &tcli.TSparkGetDirectResults{MaxRows: 1000}, CanReadArrowResult_: yes(), CanDownloadResult_: yes(),
	}
	if change != nil {
		change(req)
	}
	resp, err := c.ExecuteStatement(c.t.Context(), req)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp
}

func (c *client) fetch(op *tcli.TOperationHandle, orientation tcli.TFetchOrientation, offset *int64) *tcli.TFetchResultsResp {
	c.t.Helper()
	resp, err := c.FetchResults(c.t.Context(), &tcli.TFetchResultsReq{
		OperationHandle: op, Orientation: orientation, MaxRows: 1000, StartRowOffset: offset, IncludeResultSetMetadata: yes(),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return resp
}

func TestFetchOrientations(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *front.Options) { o.Results = front.ResultsArrow })
	c := s.client()
	executed := c.execute("RANGE 10000", nil)
	op := executed.OperationHandle
	next, prior, first := tcli.TFetchOrientation_FETCH_NEXT, tcli.TFetchOrientation_FETCH_PRIOR, tcli.TFetchOrientation_FETCH_FIRST
	at := func(n int64) *int64 { return &n }
	for i, step := range []struct {
		orientation tcli.TFetchOrientation
		offset      *int64
		want        int64
	}{
		{next, nil, 1000}, {next, nil, 2000}, {prior, nil, 1000}, {prior, nil, 0}, {next, nil, 1000}, {first, nil, 0},
		{next, nil, 1000}, {next, nil, 2000}, {next, nil, 3000}, {tcli.TFetchOrientation_FETCH_ABSOLUTE, at(2500), 2000}, {next, at(4000), 4000},
	} {
		got := c.fetch(op, step.orientation, step.offset)
		if got.Status.StatusCode != tcli.TStatusCode_SUCCESS_STATUS || got.Results.StartRowOffset != step.want || got.ResultSetMetadata == nil {
			t.Fatalf("step %d: %v", i, got)
		}
		var rows int64
		for _, b := range got.Results.ArrowBatches {
			rows += b.RowCount
		}
		if rows != 1000 || !got.GetHasMoreRows() {
			t.Fatalf("step %d: %d rows, more %v", i, rows, got.GetHasMoreRows())
		}
	}
	// Page 0 is no longer kept: the fetch must fail rather than return other rows.
	if got := c.fetch(op, first, nil); got.Status.StatusCode != tcli.TStatusCode_ERROR_STATUS {
		t.Errorf("FETCH_FIRST: %v", got)
	}
	if got := c.fetch(op, tcli.TFetchOrientation_FETCH_LAST, nil); got.Status.StatusCode != tcli.TStatusCode_ERROR_STATUS {
		t.Errorf("FETCH_LAST: %v", got)
	}
}

func TestTypesAClientCannotReadAreSentAsText(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *front.Options) { o.Results = front.ResultsArrow })
	c := s.client()
	for _, compressed := range []bool{false, true} {
		direct := c.execute("TYPES", func(r *tcli.TExecuteStatementReq) { r.CanDecompressLZ4Result_ = &compressed }).DirectResults
		meta := direct.ResultSetMetadata
		if meta.GetLz4Compressed() != compressed || meta.GetResultFormat() != tcli.TSparkRowSetType_ARROW_BASED_SET {
			t.Fatalf("metadata: %v", meta)
		}
		body := io.Reader(bytes.NewReader(direct.ResultSet.Results.ArrowBatches[0].Batch))
		if compressed {
			body = lz4.NewReader(body)
		}
		r, err := ipc.NewReader(io.MultiReader(bytes.NewReader(meta.ArrowSchema), body))
		if err != nil {
			t.Fatal(err)
		}
		if !r.Next() {
			t.Fatal(r.Err())
		}
		want := map[string]string{
			"t_decimal":   "-12345678901234.567",
			"t_timestamp": "2024-03-01 00:59:59.123456", // in the session's time zone
			"t_ntz":       "2024-02-29 23:59:59.123456",
			"t_array":     "[1,null,3]",
			"t_map":       `{"k\"1":2.5}`,
			"t_struct":    `{"a \"b\"":3.300,"at":"2024-03-01 00:59:59.123456"}`,
			"t_interval":  "1 02:03:04.000000000",
			"t_void":      "(null)",
		}
		for i, f := range r.Schema().Fields() {
			text, ok := want[f.Name]
			if !ok {
				continue
			}
			if got := r.RecordBatch().Column(i).ValueStr(0); f.Type.ID() != arrow.STRING || got != text {
				t.Errorf("%s: %s %q, want %q", f.Name, f.Type, got, text)
			}
		}
		r.Release()
	}
}

func TestAClientWithoutArrowGetsColumns(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *front.Options) { o.Results = front.ResultsCloudFetch })
	no := false
	direct := s.client().execute("RANGE 9", func(r *tcli.TExecuteStatementReq) { r.CanReadArrowResult_ = &no }).DirectResults
	set := direct.ResultSet.Results
	if direct.ResultSetMetadata.GetResultFormat() != tcli.TSparkRowSetType_COLUMN_BASED_SET || len(set.Columns) != 2 || len(set.Columns[0].I64Val.Values) != 9 {
		t.Fatalf("got %v", direct)
	}
	if direct.CloseOperation == nil {
		t.Error("the operation was not closed with its last row")
	}
}

func TestRowLimit(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *front.Options) { o.Results = front.ResultsColumn })
	limit := int64(5)
	direct := s.client().execute("RANGE 100000", func(r *tcli.TExecuteStatementReq) { r.ResultRowLimit = &limit }).DirectResults
	if n := len(direct.ResultSet.Results.Columns[0].I64Val.Values); n != 5 || direct.ResultSet.GetHasMoreRows() {
		t.Fatalf("%d rows, more %v", n, direct.ResultSet.GetHasMoreRows())
	}
}

func TestEngineIsReadOnlyAsFarAsTheClientFetches(t *testing.T) {
	t.Parallel()
	for _, form := range forms {
		s := start(t, func(o *front.Options) { o.Results = form })
		c := s.client()
		op := c.execute("RANGE 100000000", nil).OperationHandle
		c.fetch(op, tcli.TFetchOrientation_FETCH_NEXT, nil)
		// Two answers of links hold eight files of eight megabytes.
		if n := s.engine.produced.Load(); n > 3_000_000 {
			t.Errorf("%s: %d rows were read for two answers", form, n)
		}
	}
}

func TestUnknownCallsAndHandlesAreAnswered(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	c := s.client()
	_, err := c.raw.Call(t.Context(), "GetDelegationToken", &tcli.TCLIServiceGetInfoArgs{Req: tcli.NewTGetInfoReq()}, tcli.NewTCLIServiceGetInfoResult())
	var exception thrift.TApplicationException
	if !errors.As(err, &exception) || exception.TypeId() != thrift.UNKNOWN_METHOD {
		t.Errorf("an unknown call: %v", err)
	}
	stranger := &tcli.TSessionHandle{SessionId: &tcli.THandleIdentifier{GUID: make([]byte, 16), Secret: make([]byte, 16)}}
	if _, err := c.GetCatalogs(t.Context(), &tcli.TGetCatalogsReq{SessionHandle: stranger}); err == nil || !strings.Contains(err.Error(), "Invalid SessionHandle") {
		t.Errorf("an unknown session: %v", err)
	}
	op := &tcli.TOperationHandle{OperationId: stranger.SessionId, HasResultSet: true}
	if got := c.fetch(op, tcli.TFetchOrientation_FETCH_NEXT, nil); !strings.Contains(got.Status.GetErrorMessage(), "Invalid OperationHandle") {
		t.Errorf("an unknown operation: %v", got)
	}
	closed, err := c.CloseOperation(t.Context(), &tcli.TCloseOperationReq{OperationHandle: op})
	if err != nil || closed.Status.StatusCode != tcli.TStatusCode_SUCCESS_STATUS {
		t.Errorf("closing what is closed: %v, %v", closed, err)
	}
	resp, err := http.Post(s.http.URL+"/sql/1.0/warehouses/w", "application/x-thrift", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %s", resp.Status)
	}
}

func ptr(s string) *string { return &s }

// table formats the columns of a listing, row by row.
func table(d *tcli.TSparkDirectResults, columns ...int) string {
	var out []string
	set := d.ResultSet.Results
	for i := range set.Columns[0].StringVal.Values {
		var row []string
		for _, c := range columns {
			switch col := set.Columns[c]; {
			case col.StringVal != nil:
				row = append(row, col.StringVal.Values[i])
			case col.I32Val != nil:
				row = append(row, fmt.Sprint(col.I32Val.Values[i]))
			}
		}
		out = append(out, strings.Join(row, "."))
	}
	return strings.Join(out, " ")
}

func TestMetadataCalls(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	c := s.client()
	ctx := context.Background()
	direct := &tcli.TSparkGetDirectResults{MaxRows: 1000}
	check := func(what, got, want string, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("%s: got %q, want %q, %v", what, got, want, err)
		}
	}
	catalogs, err := c.GetCatalogs(ctx, &tcli.TGetCatalogsReq{SessionHandle: c.session, GetDirectResults: direct})
	check("catalogs", table(catalogs.DirectResults, 0), "main other", err)
	schemas, err := c.GetSchemas(ctx, &tcli.TGetSchemasReq{SessionHandle: c.session, CatalogName: ptr("MAIN"), SchemaName: ptr("s_l%"), GetDirectResults: direct})
	check("schemas", table(schemas.DirectResults, 1, 0), "main.sales", err)
	tables, err := c.GetTables(ctx, &tcli.TGetTablesReq{SessionHandle: c.session, CatalogName: ptr("main"), TableName: ptr(`orders\_x`), GetDirectResults: direct})
	check("tables", table(tables.DirectResults, 0, 1, 2, 3), "main.sales.orders_x.TABLE", err)
	views, err := c.GetTables(ctx, &tcli.TGetTablesReq{SessionHandle: c.session, TableTypes: []string{"VIEW"}, GetDirectResults: direct})
	check("views", table(views.DirectResults, 2, 3), "recent.VIEW", err)
	columns, err := c.GetColumns(ctx, &tcli.TGetColumnsReq{SessionHandle: c.session, CatalogName: ptr("main"), TableName: ptr("customers"), GetDirectResults: direct})
	check("columns", table(columns.DirectResults, 3, 4, 5, 6, 8, 10, 11, 16, 17), "id.-5.BIGINT.19.0.0..0.NO amount.3.DECIMAL(10,2).10.2.1.in euro.1.YES", err)
	kinds, err := c.GetTableTypes(ctx, &tcli.TGetTableTypesReq{SessionHandle: c.session, GetDirectResults: direct})
	check("table types", table(kinds.DirectResults, 0), "TABLE VIEW", err)
	types, err := c.GetTypeInfo(ctx, &tcli.TGetTypeInfoReq{SessionHandle: c.session, GetDirectResults: direct})
	if err != nil || !strings.Contains(table(types.DirectResults, 0, 1), "DECIMAL.3") {
		t.Errorf("types: %v, %v", types, err)
	}
	functions, err := c.GetFunctions(ctx, &tcli.TGetFunctionsReq{SessionHandle: c.session, FunctionName: "%", GetDirectResults: direct})
	check("functions", table(functions.DirectResults, 0), "", err)
	keys, err := c.GetPrimaryKeys(ctx, &tcli.TGetPrimaryKeysReq{SessionHandle: c.session, GetDirectResults: direct})
	check("primary keys", table(keys.DirectResults, 0), "", err)
	references, err := c.GetCrossReference(ctx, &tcli.TGetCrossReferenceReq{SessionHandle: c.session, GetDirectResults: direct})
	check("foreign keys", table(references.DirectResults, 0), "", err)
	info, err := c.GetInfo(ctx, &tcli.TGetInfoReq{SessionHandle: c.session, InfoType: tcli.TGetInfoType_CLI_DBMS_NAME})
	check("info", info.InfoValue.GetStringValue(), "Spark SQL", err)

	// Clients without direct results fetch the rows in a second call.
	plain, err := c.GetCatalogs(ctx, &tcli.TGetCatalogsReq{SessionHandle: c.session})
	if err != nil || plain.DirectResults != nil {
		t.Fatalf("%v, %v", plain, err)
	}
	fetched := c.fetch(plain.OperationHandle, tcli.TFetchOrientation_FETCH_NEXT, nil)
	check("fetched", table(&tcli.TSparkDirectResults{ResultSet: fetched}, 0), "main other", nil)
}

func TestClientsThatPoll(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	c := s.client()
	for name, change := range map[string]func(*tcli.TExecuteStatementReq){
		"asynchronous": func(r *tcli.TExecuteStatementReq) { r.GetDirectResults = nil },
		"synchronous":  func(r *tcli.TExecuteStatementReq) { r.GetDirectResults, r.RunAsync = nil, false },
		"no first rows": func(r *tcli.TExecuteStatementReq) {
			r.GetDirectResults = &tcli.TSparkGetDirectResults{MaxRows: 0}
		},
	} {
		op := c.execute("RANGE 10", change).OperationHandle
		waitFor(t, func() bool {
			status, err := c.GetOperationStatus(t.Context(), &tcli.TGetOperationStatusReq{OperationHandle: op})
			return err == nil && status.GetOperationState() == tcli.TOperationState_FINISHED_STATE && status.GetHasResultSet()
		})
		meta, err := c.GetResultSetMetadata(t.Context(), &tcli.TGetResultSetMetadataReq{OperationHandle: op})
		if err != nil || len(meta.Schema.Columns) != 2 {
			t.Errorf("%s: metadata %v, %v", name, meta, err)
		}
		if got := c.fetch(op, tcli.TFetchOrientation_FETCH_NEXT, nil); got.Results == nil || got.GetHasMoreRows() {
			t.Errorf("%s: %v", name, got)
		}
	}
	failed := c.execute("FAIL", func(r *tcli.TExecuteStatementReq) { r.GetDirectResults, r.RunAsync = nil, false })
	if failed.Status.StatusCode != tcli.TStatusCode_ERROR_STATUS || failed.Status.GetSqlState() != "42P01" {
		t.Errorf("a synchronous failure: %v", failed.Status)
	}
	// Clients request the metadata of a failed statement too, and retry if that
	// request fails.
	meta, err := c.GetResultSetMetadata(t.Context(), &tcli.TGetResultSetMetadataReq{OperationHandle: failed.OperationHandle})
	if err != nil || meta.Status.StatusCode != tcli.TStatusCode_SUCCESS_STATUS || len(meta.Schema.Columns) != 0 {
		t.Errorf("its metadata: %v, %v", meta, err)
	}
	if got := c.fetch(failed.OperationHandle, tcli.TFetchOrientation_FETCH_NEXT, nil); got.Status.GetSqlState() != "42P01" {
		t.Errorf("its rows: %v", got)
	}
}
