package lyticstest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Options are how the account is.
type Options struct {
	// Token is the API token; required.
	Token string
	// AccountID is what account_id may say; empty is any.
	AccountID string
	// Patches makes changes of the schema go through patches.
	Patches bool
	// HideIDs leaves _id out of profiles.
	HideIDs bool
	// APIAddress and BulkAddress are where to listen; empty is any port of this
	// machine.
	APIAddress, BulkAddress string
	// Now is the time; nil is the system's.
	Now func() time.Time
}

// Server is a running stand-in.
type Server struct {
	// APIURL and BulkURL are what a client is given.
	APIURL, BulkURL string

	options Options
	dir     string
	db      *store.DB
	users   *embedded.Platform
	servers []*http.Server
	done    sync.WaitGroup

	mu       sync.Mutex
	token    string
	faults   []*Fault
	requests []Request
	wrong    []string

	// state of the account; held while a request is answered.
	account sync.Mutex
	schema  schema
	marks   map[string]segmentMark
	scans   map[string]*snapshot
	sizeAt  time.Time
	arrived int64
	serial  int
	dirty   bool
}

// New starts a server.
func New(o Options) (*Server, error) {
	if o.Token == "" {
		return nil, errors.New("a token is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{options: o, token: o.Token, marks: map[string]segmentMark{}, scans: map[string]*snapshot{}}
	s.schema.reset()
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) start() (err error) {
	if s.dir, err = os.MkdirTemp("", "lyticstest-"); err != nil {
		return err
	}
	if s.db, err = store.Open(context.Background(), store.Location{Dir: s.dir}, true); err != nil {
		return err
	}
	if s.users, err = embedded.Open(embedded.Config{DB: s.db}); err != nil {
		return err
	}
	if s.APIURL, err = s.listen(s.options.APIAddress, true); err != nil {
		return err
	}
	s.BulkURL, err = s.listen(s.options.BulkAddress, false)
	return err
}

func (s *Server) listen(address string, api bool) (string, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return "", err
	}
	h := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, api) }), ReadHeaderTimeout: 10 * time.Second}
	s.servers = append(s.servers, h)
	s.done.Go(func() { _ = h.Serve(l) })
	return "http://" + l.Addr().String(), nil
}

// Close stops the server and removes what it stored.
func (s *Server) Close() error {
	var errs []error
	for _, h := range s.servers {
		errs = append(errs, h.Close())
	}
	s.done.Wait()
	s.account.Lock()
	defer s.account.Unlock()
	if s.users != nil {
		errs = append(errs, s.users.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

// SetToken makes another token the only good one.
func (s *Server) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// Request is a request that was answered, or cut.
type Request struct {
	Method, Path, Query string
	// Status is 0 when the connection was cut.
	Status int
	// Bytes of the body as sent, and after it was unpacked.
	Bytes, Unpacked int
}

// Requests lists what was asked, in the order of answers.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Wrong lists what in the requests was not as documented.
func (s *Server) Wrong() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.wrong...)
}

func (s *Server) complain(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// Events gives the events of a stream in the order of their arrival, each one
// JSON object as it was sent.
func (s *Server) Events(ctx context.Context, stream string) ([]string, error) {
	var list []string
	for e, err := range s.users.Events(ctx, stream) {
		if err != nil {
			return nil, err
		}
		list = append(list, string(e.Data))
	}
	return list, nil
}

// serial gives ids as Lytics does: 32 hexadecimal digits.
func (s *Server) newID() string {
	s.serial++
	return fmt.Sprintf("%032x", s.serial*0x9e3779b1)
}
