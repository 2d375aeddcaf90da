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

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// defaultAccountID is the id of the account when Options name none.
const defaultAccountID = "4f7b525bdba058fc096757a64f7b525b"

// Server is a running stand-in.
type Server struct {
	// APIURL is the address of the API host, BulkURL that of the bulk upload host.
	APIURL, BulkURL string

	options Options
	dir     string
	db      *store.DB
	users   *embedded.Platform
	servers []*http.Server
	done    sync.WaitGroup

	mu         sync.Mutex
	token      string
	faults     []*Fault
	poison     []byte
	requests   []Request
	violations []string

	// account guards what follows: the state of the account. It is held while a
	// request is answered.
	account  sync.Mutex
	schema   schema
	segments map[string]*segment
	scans    map[string]*scan
	// scanned are the profiles of segments, as long as nothing changes them.
	scanned  map[string][]profile
	erasures map[string]erasure
	auths    map[string]*authorization
	jobs     map[string]*job
	sizeAt   time.Time
	arrived  int64
	serial   int
	queue    []*queued
	// understood are the texts that Understand was given.
	understood []string
	stale      bool // events or the schema changed since profiles were built
}

// New starts a stand-in.
func New(o Options) (*Server, error) {
	if o.Token == "" {
		return nil, errors.New("Options.Token is empty: the stand-in needs the token that it accepts")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.AccountID == "" {
		o.AccountID = defaultAccountID
	}
	s := &Server{
		options: o, token: o.Token, schema: newSchema(), segments: map[string]*segment{}, scans: map[string]*scan{}, scanned: map[string][]profile{},
		erasures: map[string]erasure{}, auths: map[string]*authorization{}, jobs: map[string]*job{},
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) start() (err error) {
	if s.dir, err = os.MkdirTemp("", "lyticstest-"); err != nil {
		return err
	}
	if s.db, err = storetest.Open(context.Background(), store.Location{Dir: s.dir}); err != nil {
		return err
	}
	if s.users, err = embedded.Open(embedded.Config{DB: s.db}); err != nil {
		return err
	}
	if s.APIURL, err = s.listen(s.options.APIAddress, apiHost); err != nil {
		return err
	}
	s.BulkURL, err = s.listen(s.options.BulkAddress, bulkHost)
	return err
}

func (s *Server) listen(address string, h host) (string, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return "", err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, h) })
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	s.servers = append(s.servers, server)
	s.done.Go(func() { _ = server.Serve(l) })
	return "http://" + l.Addr().String(), nil
}

// Close stops the stand-in and removes its data.
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

// SetToken replaces the token that the stand-in accepts.
func (s *Server) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// Request is one request that the stand-in received.
type Request struct {
	Method, Path, Query string
	// ContentType and Body are as sent; Body is nil when it is over 64 KiB.
	ContentType string
	Body        []byte
	// Status is the status of the answer, 0 when the connection was closed without
	// one.
	Status int
	// Bytes is the length of the body as sent, Unpacked after decompression.
	Bytes, Unpacked int
}

// Requests lists the requests in the order in which they were answered.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Wrong lists the requests that broke a documented rule of the API. A client
// that follows the documentation leaves it empty.
func (s *Server) Wrong() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.violations...)
}

// SetAccount makes the token one of another account.
func (s *Server) SetAccount(id string) {
	s.account.Lock()
	defer s.account.Unlock()
	s.options.AccountID = id
}

func (s *Server) violation(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations = append(s.violations, fmt.Sprintf(format, args...))
}

// Events returns the events of a stream in the order of arrival, each as a JSON
// object; those that are not processed yet too.
func (s *Server) Events(ctx context.Context, stream string) ([]string, error) {
	s.account.Lock()
	defer s.account.Unlock()
	var list, waiting []string
	for _, q := range s.queue {
		for _, e := range q.events {
			if q.stream == stream {
				waiting = append(waiting, string(e.Data))
			}
		}
	}
	for e, err := range s.users.Events(ctx, stream) {
		if jobs.IsCode(err, jobs.CodeNotFound) && len(waiting) > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		list = append(list, string(e.Data))
	}
	return append(list, waiting...), nil
}

// newID returns an id in Lytics' form: 32 hexadecimal digits.
func (s *Server) newID() string {
	s.serial++
	return fmt.Sprintf("%032x", s.serial*0x9e3779b1)
}
