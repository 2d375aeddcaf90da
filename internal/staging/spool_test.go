package staging_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// filesAPI is a workspace whose Files API keeps the digest of the last upload. The first
// upload is answered 503 after half of its content.
type filesAPI struct {
	uploads atomic.Int32
	stored  []byte
	size    int64
}

func (f *filesAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/api/2.0/fs/files/") {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if f.uploads.Add(1) == 1 {
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	digest := sha256.New()
	n, err := io.Copy(digest, r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.stored, f.size = digest.Sum(nil), n
	w.WriteHeader(http.StatusNoContent)
}

func openVolumeAt(t *testing.T, api http.Handler) *staging.Volume {
	t.Helper()
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	address, ok := server.Listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("the server has no TCP address")
	}
	v, err := staging.OpenVolume(t.Context(), staging.VolumeConfig{Catalog: "main", Schema: "s", Volume: "v"}, databricks.Config{
		Host: "http://127.0.0.1", Port: address.Port, LoopbackHosts: true,
		Token: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret("dapi-1"), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// pour writes size random bytes and returns their digest.
func pour(t *testing.T, w io.Writer, size int64) []byte {
	t.Helper()
	digest := sha256.New()
	source := &randomBytes{r: rand.NewChaCha8([32]byte{1}), digest: digest}
	if _, err := io.CopyN(w, source, size); err != nil {
		t.Fatal(err)
	}
	return digest.Sum(nil)
}

type randomBytes struct {
	r      *rand.ChaCha8
	digest hash.Hash
}

func (b *randomBytes) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.digest.Write(p[:n])
	return n, err
}

// An upload that fails is repeated with the same content, whatever its size, and in little
// memory.
func TestALargeUploadToAVolumeIsRepeatedInLittleMemory(t *testing.T) {
	t.Parallel()
	hostiletest.InProcess(t, func(t *testing.T) {
		t.Helper()
		const size, most = 100_000_000, 40_000_000
		var before, after runtime.MemStats
		api := &filesAPI{}
		v := openVolumeAt(t, api)
		runtime.ReadMemStats(&before)
		w, err := v.Create(t.Context(), "exports/large")
		if err != nil {
			t.Fatal(err)
		}
		sent := pour(t, w, size)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := api.uploads.Load(); got != 2 || api.size != size || !bytes.Equal(api.stored, sent) {
			t.Errorf("got %d bytes after %d uploads, want the same %d bytes after 2", api.size, got, size)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > most {
			t.Errorf("got %d bytes of memory that was allocated for %d, want at most %d", got, size, most)
		}
	})
}

// Sizes around that of the part in memory, and none.
func TestEverySizeOfAVolumesFileArrivesWhole(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{0, 1, 5<<20 - 1, 5 << 20, 5<<20 + 1, 11 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			api := &filesAPI{}
			v := openVolumeAt(t, api)
			w, err := v.Create(t.Context(), "exports/a")
			if err != nil {
				t.Fatal(err)
			}
			sent := pour(t, w, size)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if api.size != size || !bytes.Equal(api.stored, sent) {
				t.Errorf("got %d bytes, want the same %d", api.size, size)
			}
		})
	}
}

// An aborted file is never uploaded, and leaves no temporary file.
func TestAnAbortedFileIsNotUploaded(t *testing.T) {
	t.Parallel()
	api := &filesAPI{}
	v := openVolumeAt(t, api)
	w, err := v.Create(t.Context(), "exports/a")
	if err != nil {
		t.Fatal(err)
	}
	pour(t, w, 6<<20)
	if err := w.Abort(); err != nil || api.uploads.Load() != 0 {
		t.Errorf("got the error %v and %d uploads, want none", err, api.uploads.Load())
	}
}

// The temporary file has no name while it is in use, so that a killed process leaves
// nothing. The error of a directory that cannot be used names it and the variable.
func TestTheTemporaryFileOfAnUpload(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	v := openVolumeAt(t, &filesAPI{})
	write := func() (*staging.Writer, error) {
		w, err := v.Create(t.Context(), "exports/a")
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.CopyN(w, rand.NewChaCha8([32]byte{}), 11<<20)
		return w, err
	}
	w, err := write()
	left, listErr := os.ReadDir(temporary)
	if err != nil || listErr != nil || len(left) > 0 && runtime.GOOS != "windows" {
		t.Errorf("got the files %v, %v, %v, want none with a name", left, err, listErr)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	missing := filepath.Join(temporary, "missing")
	t.Setenv("TMPDIR", missing)
	w, err = write()
	_ = w.Abort()
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || !strings.Contains(e.Detail, missing) || !strings.Contains(e.Next, "TMPDIR") {
		t.Errorf("got the error %v, want one that names %s and TMPDIR", err, missing)
	}
}
