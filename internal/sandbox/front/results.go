package front

import (
	"context"
	"os"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/rowset"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
)

// wanted is what a client says about the result it can read.
type wanted struct {
	arrow, download, lz4 bool
	native               rowset.Native
	rowLimit             int64
	maxBytesPerFile      int64
	firstRows            int64
}

func wantedBy(req *tcli.TExecuteStatementReq) wanted {
	w := wanted{
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
	// defaultRows and maxPageBytes bound a page that the client does not bound.
	defaultRows  = 100_000
	maxPageBytes = 16 << 20
	// inlineBytes is up to where a result is sent in place of links to it.
	inlineBytes = 4 << 20
	// fileBytes and filesPerPage bound CloudFetch files and how many of them one
	// answer names.
	fileBytes    = 8 << 20
	filesPerPage = 4
)

// choose decides in which form a result is sent.
func (s *Server) choose(op *operation, r *reader) (*rowset.Encoder, error) {
	w := op.want
	o := rowset.Options{
		Format: tcli.TSparkRowSetType_COLUMN_BASED_SET, Native: w.native, LZ4: w.lz4,
		Location: op.session.location,
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
		err = r.fill(op.ctx)
		if len(r.ahead) > 0 {
			o.Format = tcli.TSparkRowSetType_URL_BASED_SET
		}
		r.unread(batches)
		if err != nil {
			return nil, err
		}
	}
	// Databricks runs a statement before it says that it is finished; an engine
	// that streams shows an error with the first rows at the earliest.
	if err := r.fill(op.ctx); err != nil {
		return nil, err
	}
	return rowset.NewEncoder(r.result.Columns(), o)
}

// bounded is n where the client asks for something, and at most the default.
func bounded(n, limit int64) int64 {
	if n <= 0 || n > limit {
		return limit
	}
	return n
}

// makeFiles writes the next rows to files. Links ignore the client's row bound,
// as Databricks' do.
func (p *pages) makeFiles(ctx context.Context, f fetch) (*page, error) {
	out := &page{start: p.reader.taken, files: []*spoolFile{}, more: true}
	for len(out.files) < filesPerPage && out.more {
		file, err := p.makeFile(ctx, bounded(f.maxBytesPerFile, fileBytes))
		if err != nil && len(out.files) > 0 {
			return out, nil // the files that are there first; the error stays
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
	_, out.expired = p.faults.Trigger(at, fault.LinkExpired)
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
		p.reader.err = err // its rows are gone: no later fetch may go on without them
	}
	return out, err
}

// linkSet makes new links to the files of a page.
func (p *pages) linkSet(out *page, base string) *tcli.TRowSet {
	set := &tcli.TRowSet{StartRowOffset: out.start, Rows: []*tcli.TRow{}, ResultLinks: []*tcli.TSparkArrowResultLink{}}
	for _, f := range out.files {
		url, expires := p.links.link(f, base, p.text)
		set.ResultLinks = append(set.ResultLinks, &tcli.TSparkArrowResultLink{
			// In milliseconds, as the JDBC and Node.js drivers read it. The Go and
			// Python ones take it for seconds, never find a link expired, and meet
			// the storage's refusal instead.
			FileLink: url, ExpiryTime: expires.UnixMilli(), StartRowOffset: f.start, RowCount: f.rows, BytesNum: f.size,
		})
	}
	return set
}

// direct answers a statement's result with the answer to its request.
func (h *handler) direct(ctx context.Context, op *operation, d *tcli.TSparkGetDirectResults) *tcli.TSparkDirectResults {
	op.wait(ctx, h.options.DirectWait)
	out := &tcli.TSparkDirectResults{OperationStatus: op.status()}
	if !op.over() {
		return out
	}
	// The metadata of a failed statement too: clients ask for it and retry.
	out.ResultSetMetadata = op.metadata()
	if out.OperationStatus.GetOperationState() != tcli.TOperationState_FINISHED_STATE || d.MaxRows <= 0 {
		return out
	}
	out.ResultSet = h.fetchPage(ctx, op, fetch{
		orientation: tcli.TFetchOrientation_FETCH_NEXT, maxRows: d.MaxRows, maxBytes: d.GetMaxBytes(),
	}, false)
	if out.ResultSet.Status.StatusCode != tcli.TStatusCode_SUCCESS_STATUS {
		// Clients look for an error in the answer to FetchResults only.
		out.ResultSet = nil
		return out
	}
	if !out.ResultSet.GetHasMoreRows() {
		out.CloseOperation = &tcli.TCloseOperationResp{Status: success()}
		if err := h.sessions.drop(op); err != nil {
			out.CloseOperation.Status = errorStatus(err)
		}
	}
	return out
}

// metadata describes the result, or nothing for a statement without one.
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
	f.maxBytesPerFile = op.want.maxBytesPerFile
	f.maxRows, f.maxBytes = bounded(f.maxRows, maxFetchRows), bounded(f.maxBytes, maxPageBytes)

	op.fetching.Lock()
	defer op.fetching.Unlock()
	if op.closed || op.pages == nil {
		return &tcli.TFetchResultsResp{Status: errorStatus(invalidOperation(op.id))}
	}
	// The operation's context, not the request's: what a client that goes away
	// has asked for must still be there when it asks again.
	got, err := op.pages.fetch(op.ctx, f)
	if err != nil {
		return &tcli.TFetchResultsResp{Status: errorStatus(err)}
	}
	out := &tcli.TFetchResultsResp{Status: success(), HasMoreRows: &got.more, Results: got.set}
	if metadata {
		out.ResultSetMetadata = op.pages.encoder.Metadata()
	}
	op.log.delivered(op.pages.delivered)
	return out
}

// maxFetchRows bounds what one answer holds, whatever the client asks for.
const maxFetchRows = 1_000_000
