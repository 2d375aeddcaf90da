package front

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// guid identifies a session or an operation.
type guid [16]byte

func newGUID() guid {
	var g guid
	_, _ = rand.Read(g[:]) // never fails since Go 1.24
	g[6], g[8] = g[6]&0x0f|0x40, g[8]&0x3f|0x80
	return g
}

func (g guid) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", g[0:4], g[4:6], g[6:8], g[8:10], g[10:16])
}

func (g guid) handle() *tcli.THandleIdentifier {
	secret := newGUID()
	return &tcli.THandleIdentifier{GUID: g[:], Secret: secret[:]}
}

func guidOf(h *tcli.THandleIdentifier) (g guid) {
	if h != nil {
		copy(g[:], h.GUID)
	}
	return g
}

// session is one client's session.
type session struct {
	id     guid
	opened time.Time
	engine warehouse.Session
	ctx    context.Context
	cancel context.CancelFunc
	// tags are the session's query tags, as the client sent them.
	tags string
	// executing holds a value while a statement executes: a warehouse.Session
	// executes one statement at a time.
	executing chan struct{}

	mu         sync.Mutex
	timeout    time.Duration
	location   *time.Location
	operations map[guid]*operation
}

// zone is the session's time zone.
func (sess *session) zone() *time.Location {
	sess.mu.Lock()
	defer sess.mu.Unlock()
	return sess.location
}

// sessions holds the open sessions and their operations.
type sessions struct {
	engine warehouse.Engine
	// zone is the time zone of sessions that set none.
	zone string

	mu         sync.Mutex
	open       map[guid]*session
	operations map[guid]*operation
}

func newSessions(e warehouse.Engine, zone string) *sessions {
	return &sessions{engine: e, zone: zone, open: map[guid]*session{}, operations: map[guid]*operation{}}
}

func (s *sessions) openSession(ctx context.Context, o warehouse.SessionOptions) (*session, error) {
	timeout, err := statementTimeout(o.Conf)
	if err != nil {
		return nil, err
	}
	if s.zone != "" && !namesTimeZone(o.Conf) {
		o.Conf = maps.Clone(o.Conf)
		if o.Conf == nil {
			o.Conf = map[string]string{}
		}
		o.Conf["TIMEZONE"] = s.zone
	}
	location, err := timeZone(o.Conf)
	if err != nil {
		return nil, err
	}
	engine, err := s.engine.OpenSession(ctx, o)
	if err != nil {
		return nil, err
	}
	sess := &session{
		id: newGUID(), opened: time.Now(), engine: engine, location: location, timeout: timeout,
		executing: make(chan struct{}, 1), operations: map[guid]*operation{},
	}
	for name, value := range o.Conf {
		if strings.EqualFold(name, "QUERY_TAGS") {
			sess.tags = value
		}
	}
	// The session outlives the request that opened it.
	sess.ctx, sess.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[sess.id] = sess
	return sess, nil
}

func (s *sessions) get(h *tcli.TSessionHandle) (*session, error) {
	var id guid
	if h != nil {
		id = guidOf(h.SessionId)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if sess := s.open[id]; sess != nil {
		return sess, nil
	}
	return nil, invalidSession(id)
}

func (s *sessions) operation(h *tcli.TOperationHandle) (*operation, error) {
	var id guid
	if h != nil {
		id = guidOf(h.OperationId)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if op := s.operations[id]; op != nil {
		return op, nil
	}
	return nil, invalidOperation(id)
}

func (s *sessions) addOperation(op *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.operations[op.id] = op
	op.session.operations[op.id] = op
}

// closeOperation closes an operation and removes it from its session.
func (s *sessions) closeOperation(op *operation) error {
	s.mu.Lock()
	delete(s.operations, op.id)
	delete(op.session.operations, op.id)
	s.mu.Unlock()
	return op.close()
}

// expire closes a session for the session_expired fault.
func (s *sessions) expire(sess *session) { _ = s.close(sess) }

func (s *sessions) close(sess *session) error {
	s.mu.Lock()
	_, found := s.open[sess.id]
	delete(s.open, sess.id)
	operations := slices.Collect(maps.Values(sess.operations))
	s.mu.Unlock()
	if !found {
		return nil
	}
	var errs []error
	for _, op := range operations {
		errs = append(errs, s.closeOperation(op))
	}
	sess.cancel()
	// The engine's session is closed after its last statement has stopped.
	select {
	case sess.executing <- struct{}{}:
		errs = append(errs, sess.engine.Close())
	case <-time.After(cancelLimit):
		errs = append(
			errs,
			fmt.Errorf("session %s: a cancelled statement still runs after %s; its engine session stays open", sess.id, cancelLimit),
		)
	}
	return errors.Join(errs...)
}

// cancelLimit is how long a cancelled statement may take to stop.
const cancelLimit = 10 * time.Second

func (s *sessions) closeAll() error {
	var errs []error
	for _, sess := range s.list() {
		errs = append(errs, s.close(sess))
	}
	return errors.Join(errs...)
}

func (s *sessions) list() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.open), func(a, b *session) int { return a.opened.Compare(b.opened) })
}

// clusterSettings are what a session of a cluster has if it ignores the parameters; a
// cluster has no time-out.
var clusterSettings = map[string]string{"TIMEZONE": "America/Los_Angeles", "ANSI_MODE": "false"}

// sessionOptions applies the fault that ignores parameters of OpenSession.
func (s *Server) sessionOptions(conf map[string]string) warehouse.SessionOptions {
	o := warehouse.SessionOptions{Conf: maps.Clone(conf)}
	for _, name := range slices.Sorted(maps.Keys(conf)) {
		if _, ok := s.options.Faults.Trigger(fault.Call{Name: "OpenSession", Text: name}, fault.IgnoredSetting); !ok {
			continue
		}
		o.Cluster = true
		delete(o.Conf, name)
		if value, ok := clusterSettings[strings.ToUpper(name)]; ok {
			o.Conf[name] = value
		}
	}
	return o
}

// maxStatementTimeout is the limit at Databricks, in seconds: two days.
const maxStatementTimeout = 172800

func statementTimeout(conf map[string]string) (time.Duration, error) {
	text, ok := confValue(conf, "STATEMENT_TIMEOUT")
	if !ok {
		return 0, nil
	}
	return parseTimeout(text)
}

func parseTimeout(text string) (time.Duration, error) {
	seconds, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || seconds < 0 || seconds > maxStatementTimeout {
		return 0, &warehouse.Error{
			Class: "INVALID_CONF_VALUE.OUT_OF_RANGE_OF_OPTIONS", SQLState: "22022",
			Message: fmt.Sprintf(
				"The value '%s' in the config \"STATEMENT_TIMEOUT\" is invalid. It must be a number of seconds from 0 to %d.",
				text,
				maxStatementTimeout,
			),
		}
	}
	return time.Duration(seconds) * time.Second, nil
}

// zoneKeys are the session parameters that set the time zone.
var zoneKeys = []string{"TIMEZONE", "spark.sql.session.timeZone"}

func namesTimeZone(conf map[string]string) bool {
	return slices.ContainsFunc(zoneKeys, func(key string) bool {
		_, ok := confValue(conf, key)
		return ok
	})
}

func timeZone(conf map[string]string) (*time.Location, error) {
	for _, key := range zoneKeys {
		name, ok := confValue(conf, key)
		if !ok {
			continue
		}
		location, err := time.LoadLocation(name)
		if err != nil {
			return nil, &warehouse.Error{
				Class: "INVALID_CONF_VALUE.TIME_ZONE", SQLState: "22022",
				Message: fmt.Sprintf("The value '%s' in the config \"%s\" is invalid. Cannot resolve the given timezone.", name, key),
			}
		}
		return location, nil
	}
	return time.UTC, nil
}

func confValue(conf map[string]string, key string) (string, bool) {
	for k, v := range conf {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return "", false
}

// setTimeout matches SET with the names of the timeout at a warehouse and in Spark, setZone
// those of the time zone.
var (
	setTimeout = regexp.MustCompile(
		"(?i)^\\s*SET\\s+`?(?:STATEMENT_TIMEOUT|spark\\.sql\\.thriftServer\\.queryTimeout)`?\\s*=\\s*'?(\\d+)'?\\s*;?\\s*$")
	setZone = regexp.MustCompile("(?i)^\\s*SET\\s+`?(?:TIMEZONE|spark\\.sql\\.session\\.timeZone)`?\\s*=\\s*'?([\\w/+-]+)'?\\s*;?\\s*$")
)

// statementExecuted applies SET of the timeout and of the time zone to the session: the
// front enforces the timeout, and writes timestamps as text.
func (sess *session) statementExecuted(text string) error {
	if m := setZone.FindStringSubmatch(text); m != nil {
		location, err := timeZone(map[string]string{"TIMEZONE": m[1]})
		if err != nil {
			return err
		}
		sess.mu.Lock()
		defer sess.mu.Unlock()
		sess.location = location
		return nil
	}
	m := setTimeout.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	timeout, err := parseTimeout(m[1])
	if err != nil {
		return err
	}
	sess.mu.Lock()
	defer sess.mu.Unlock()
	sess.timeout = timeout
	return nil
}

func (sess *session) currentTimeout() time.Duration {
	sess.mu.Lock()
	defer sess.mu.Unlock()
	return sess.timeout
}
