package front

import (
	"context"
	"os"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/rowset"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
)

// resultRequest is what a client requests of a result: formats that it can read,
// and limits.
type resultRequest struct {
	arrow, download, lz4 bool
	native               rowset.Native
	rowLimit             int64
	maxBytesPerFile      int64
	firstRows            int64
}

func resultRequestOf(req *tcli.TExecuteStatementReq) resultRequest {
	w := resultRequest{
		arrow:           req.GetCanReadArrowResult_(),
		download:        req.GetCanDownloadResult_(),
		lz4:             req.GetCanDecompressLZ4Result_(),
		rowLimit:        req.GetResultRowLimit(),
		maxBytesPerFile: req.GetMaxBytesPerFile(),
	}
	if d := req.GetDirectResults; d != nil {
		w.firstRows = d.MaxRows
	}
	if n := req.UseArrowNativeTypes; n != nil {
		w.native = rowset.Native{
			Timestamps: n.GetTimestampAsArrow(), Decimals: n.GetDecimalAsArrow(), Nested: n.GetComplexTypesAsArrow(),
			Intervals: n.GetIntervalTypesAsArrow(), Nulls: n.GetNullTypeAsArrow(),
		}
	}
	return w
}

const (
	// defaultRows and maxPageBytes bound a page when the client sets no bound.
	defaultRows  = 100_000
	maxPageBytes = 16 << 20
	// inlineBytes is the largest result that is sent inline; larger ones are sent as
	// links.
	inlineBytes = 4 << 20
	// fileBytes bounds a CloudFetch file, filesPerPage the files in one answer.
	fileBytes    = 8 << 20
	filesPerPage = 4
)

// chooseFormat chooses the format of a result.
func (s *Server) chooseFormat(op *operation, r *rowReader) (*rowset.Encoder, error) {
	w := op.request
	o := rowset.Options{
		Format: tcli.TSparkRowSetType_COLUMN_BASED_SET, Native: w.native, LZ4: w.lz4,
		Location: op.session.zone(),
	}
	if w.arrow && s.options.Results != ResultsColumn {
		o.Format = tcli.TSparkRowSetType_ARROW_BASED_SET
	}
	links := o.Format == tcli.TSparkRowSetType_ARROW_BASED_SET && w.download
	switch {
	case links && s.options.Results == ResultsCloudFetch:
		o.Format = tcli.TSparkRowSetType_URL_BASED_SET
	case links && s.options.Results == ResultsAuto:
		batches, err := r.take(op.ctx, bounded(w.firstRows, defaultRows), inlineBytes)
		if err != nil {
			return nil, err
		}
		err = r.fillBuffer(op.ctx)
		if len(r.buffered) > 0 {
			o.Format = tcli.TSparkRowSetType_URL_BASED_SET
		}
		r.unread(batches)
		if err != nil {
			return nil, err
		}
	}
	// An error in the first rows fails the statement. At Databricks every error does,
	// since it computes the whole result first; our engines stream.
	if err := r.fillBuffer(op.ctx); err != nil {
		return nil, err
	}
	return rowset.NewEncoder(r.result.Columns(), o)
}

// bounded returns n, or limit if n is not positive or above limit.
func bounded(n, limit int64) int64 {
	if n <= 0 || n > limit {
		return limit
	}
	return n
}

// makeFiles writes the next rows to files. As at Databricks, the client's row
// bound does not apply to links.
func (p *pages) makeFiles(ctx context.Context, f fetch) (*page, error) {
	out := &page{start: p.reader.taken, files: []*spoolFile{}, more: true}
	for len(out.files) < filesPerPage && out.more {
		file, err := p.makeFile(ctx, bounded(f.maxBytesPerFile, fileBytes))
		if err != nil && len(out.files) > 0 {
			return out, nil // the next fetch returns the error
		}
		if err != nil {
			return nil, err
		}
		if file != nil {
			out.rows += file.rows
			out.files = append(out.files, file)
		}
		out.more = p.more(ctx)
	}
	return out, nil
}

func (p *pages) makeFile(ctx context.Context, maxBytes int64) (*spoolFile, error) {
	start := p.reader.taken
	batches, err := p.reader.take(ctx, 1<<62, maxBytes)
	if err != nil || len(batches) == 0 {
		return nil, err
	}
	defer releaseAll(batches)
	out := &spoolFile{start: start, rows: rowsOf(batches)}
	at := fault.Call{Name: fault.CloudFetch, Text: p.text}
	_, out.linksExpired = p.faults.Trigger(at, fault.LinkExpired)
	_, padded := p.faults.Trigger(at, fault.LinkPadding)
	out.path, out.size, err = p.links.writeFile(func(f *os.File) error {
		w := p.encoder.NewFile(f)
		for _, b := range batches {
			if err := w.Write(b); err != nil {
				return err
			}
		}
		if padded {
			if err := w.Write(batches[len(batches)-1]); err != nil {
				return err
			}
		}
		return w.Close()
	})
	if err != nil {
		p.reader.err = err // the file's rows are lost: later fetches must fail too
	}
	return out, err
}

// linkSet makes new links to the files of a page.
func (p *pages) linkSet(out *page, base string) *tcli.TRowSet {
	set := &tcli.TRowSet{StartRowOffset: out.start, Rows: []*tcli.TRow{}, ResultLinks: []*tcli.TSparkArrowResultLink{}}
	for _, f := range out.files {
		url, expires := p.links.link(f, base, p.text)
		set.ResultLinks = append(set.ResultLinks, &tcli.TSparkArrowResultLink{
			// Milliseconds, as the JDBC and Node.js drivers expect. The Go and Python
			// drivers expect seconds, so they never consider a link expired; the storage
			// refuses it instead.
			FileLink: url, ExpiryTime: expires.UnixMilli(), StartRowOffset: f.start, RowCount: f.rows, BytesNum: f.size,
		})
	}
	return set
}

// directResults returns a statement's first page together with its status.
func (h *handler) directResults(ctx context.Context, op *operation, d *tcli.TSparkGetDirectResults) *tcli.TSparkDirectResults {
	op.wait(ctx, h.options.DirectWait)
	out := &tcli.TSparkDirectResults{OperationStatus: op.status()}
	if !op.over() {
		return out
	}
	// Clients request the metadata of a failed statement too, and retry without it.
	out.ResultSetMetadata = op.metadata()
	if out.OperationStatus.GetOperationState() != tcli.TOperationState_FINISHED_STATE || d.MaxRows <= 0 {
		return out
	}
	out.ResultSet = h.fetchPage(ctx, op, fetch{
		orientation: tcli.TFetchOrientation_FETCH_NEXT, maxRows: d.MaxRows, maxBytes: d.GetMaxBytes(),
	}, false)
	if out.ResultSet.Status.StatusCode != tcli.TStatusCode_SUCCESS_STATUS {
		// Clients look for an error only in the answer to FetchResults.
		out.ResultSet = nil
		return out
	}
	if !out.ResultSet.GetHasMoreRows() {
		out.CloseOperation = &tcli.TCloseOperationResp{Status: success()}
		if err := h.sessions.closeOperation(op); err != nil {
			out.CloseOperation.Status = errorStatus(err)
		}
	}
	return out
}

// metadata describes the result; the schema is empty if there is no result.
func (op *operation) metadata() *tcli.TGetResultSetMetadataResp {
	op.fetching.Lock()
	defer op.fetching.Unlock()
	if op.pages != nil {
		return op.pages.encoder.Metadata()
	}
	format, no := tcli.TSparkRowSetType_COLUMN_BASED_SET, false
	return &tcli.TGetResultSetMetadataResp{
		Status: success(), Schema: &tcli.TTableSchema{Columns: []*tcli.TColumnDesc{}},
		ResultFormat: &format, Lz4Compressed: &no, IsStagingOperation: &no,
	}
}

// fetchPage answers FetchResults.
func (h *handler) fetchPage(ctx context.Context, op *operation, f fetch, metadata bool) *tcli.TFetchResultsResp {
	if err := op.err(); err != nil {
		return &tcli.TFetchResultsResp{Status: errorStatus(err)}
	}
	f.base = exchangeOf(ctx).base
	f.maxBytesPerFile = op.request.maxBytesPerFile
	f.maxRows, f.maxBytes = bounded(f.maxRows, maxFetchRows), bounded(f.maxBytes, maxPageBytes)

	op.fetching.Lock()
	defer op.fetching.Unlock()
	if op.closed || op.pages == nil {
		return &tcli.TFetchResultsResp{Status: errorStatus(invalidOperation(op.id))}
	}
	// The operation's context, not the request's: a page that a disconnected
	// client requested must be there when the client requests it again.
	got, err := op.pages.fetch(op.ctx, f)
	if err != nil {
		return &tcli.TFetchResultsResp{Status: errorStatus(err)}
	}
	out := &tcli.TFetchResultsResp{Status: success(), HasMoreRows: &got.more, Results: got.set}
	if metadata {
		out.ResultSetMetadata = op.pages.encoder.Metadata()
	}
	op.log.setDelivered(op.pages.delivered)
	return out
}

// maxFetchRows is the most rows of one answer, whatever the client requests.
const maxFetchRows = 1_000_000
