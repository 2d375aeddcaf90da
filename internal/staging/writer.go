package staging

import (
	"context"
	"errors"
	"io"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/tracing"
)

// Writer writes an object or a file. It exists after Close has returned nil.
type Writer struct {
	pipe   *io.PipeWriter
	cancel context.CancelCauseFunc
	done   chan struct{}
	err    error
}

var errAborted = errors.New("the upload was aborted")

// Create begins an object that is uploaded while it is written; only parts of it are in
// memory. ctx is the context of the whole upload. The caller must call Close or Abort.
func (s *S3) Create(ctx context.Context, key string) (*Writer, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	return newWriter(ctx, func(ctx context.Context, body io.Reader) error {
		if err := s.send(ctx, s.key(key), body); err != nil {
			return s.explain("write "+s.URL(key), err)
		}
		return nil
	}), nil
}

// newWriter runs an upload in a goroutine that reads the data of Write.
func newWriter(parent context.Context, upload func(ctx context.Context, body io.Reader) error) *Writer {
	traced, end := tracing.Start(parent, "upload")
	ctx, cancel := context.WithCancelCause(traced)
	reader, pipe := io.Pipe()
	w := &Writer{pipe: pipe, cancel: cancel, done: make(chan struct{})}
	// This also ends an upload that waits for the next Write.
	stop := context.AfterFunc(ctx, func() { _ = reader.CloseWithError(context.Cause(ctx)) })
	go func() {
		defer close(w.done)
		defer stop()
		err := panics.Catch(func() error { return upload(ctx, reader) })
		switch {
		case err == nil:
		case parent.Err() != nil:
			w.err = parent.Err()
		case errors.Is(context.Cause(ctx), errAborted):
			w.err = errAborted
		default:
			w.err = err
		}
		end(w.err)
		// Later calls of Write return the error of the upload.
		_ = reader.CloseWithError(w.err)
	}()
	return w
}

// Write implements io.Writer. It blocks until the upload has read p.
func (w *Writer) Write(p []byte) (int, error) { return w.pipe.Write(p) }

// Close finishes the object. If it returns nil, the whole object is stored.
func (w *Writer) Close() error {
	_ = w.pipe.Close()
	<-w.done
	w.cancel(nil)
	return w.err
}

// Abort discards the object and the uploaded parts. After Close it does nothing.
func (w *Writer) Abort() error {
	w.cancel(errAborted)
	_ = w.pipe.CloseWithError(errAborted)
	<-w.done
	if errors.Is(w.err, errAborted) || errors.Is(w.err, context.Canceled) {
		return nil
	}
	return w.err
}
