package lyticstest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Limits of an event in bytes: alone on /collect/json, and in a batch.
const (
	singleEventLimit = 4 << 10
	batchEventLimit  = 16 << 10
)

// collect answers POST /collect/json/{stream} and /collect/bulk/{stream}. The
// bulk host has only the latter.
func (s *Server) collect(r *request, form, stream string) reply {
	if r.Method != http.MethodPost || form != "bulk" && (form != "json" || r.host == bulkHost) {
		return s.unrouted(r)
	}
	var events []json.RawMessage
	var err error
	contentType := r.Header.Get("Content-Type")
	switch {
	case form == "bulk" && contentType == "application/csv":
		if err = r.expects(contentType, "timestamp_field", "dryrun", "droperrors", "filename", "headers", "delimiter", "append"); err == nil {
			events, err = csvEvents(r)
		}
	case contentType == "application/json":
		if err = r.expects(contentType, "timestamp_field", "dryrun", "droperrors", "filename"); err == nil {
			events, err = s.jsonEvents(r.body)
		}
	default:
		err = fmt.Errorf("Content-Type is %q, documented are application/json and application/csv", contentType)
	}
	if err != nil {
		return s.reject(r, "%v", err)
	}
	return s.take(r, form, stream, events)
}

// take stores the events that are accepted. Without droperrors it stops at the
// first one that is not.
func (s *Server) take(r *request, form, stream string, sent []json.RawMessage) reply {
	limit := batchEventLimit
	if form == "json" && len(sent) <= 1 {
		limit = singleEventLimit
	}
	stamp, dryRun, dropErrors := r.query.Get("timestamp_field"), r.query.Get("dryrun") == "true", r.query.Get("droperrors") == "true"
	var events []jobs.Event
	rejected := 0
	for i, data := range sent {
		e, err := s.event(data, stamp, limit)
		switch lost := len(sent) - i; {
		case err != nil:
			rejected++
		case lost <= r.fault.Reject:
			rejected++
			err = errors.New("as asked for")
		case lost <= r.fault.Reject+r.fault.Lose:
		default:
			events = append(events, e)
		}
		if err != nil && !dropErrors {
			if s.options.StopKeepsNothing {
				events = nil
			}
			break
		}
	}
	if !dryRun && len(events) > 0 {
		s.queue = append(s.queue, &queued{stream: stream, events: events, looks: s.options.ProfileLag})
		if err := s.unqueue(r.Context()); err != nil {
			return s.failed(r, err)
		}
	}
	count := len(events)
	if s.options.CountRejected {
		count += rejected
	}
	if dryRun && s.options.BlindDryRun {
		rejected = 0
	}
	return s.success(r, http.StatusOK, map[string]any{
		"message_count":   count,
		"rejected_count":  rejected,
		"content-type":    r.Header.Get("Content-Type"),
		"droperrors":      dropErrors,
		"dryrun":          dryRun,
		"timestamp_field": stamp,
		"filename":        r.query.Get("filename"),
	})
}

// jsonEvents splits a body into its JSON objects.
func (s *Server) jsonEvents(body []byte) (events []json.RawMessage, err error) {
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '[' {
		if !s.options.AcceptArrays {
			return nil, errors.New("an array of objects is not documented")
		}
		if err := json.Unmarshal(body, &events); err != nil {
			return nil, errors.New("the body is not JSON")
		}
		return events, nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	for {
		var e json.RawMessage
		err := d.Decode(&e)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.New("the body is not JSON")
		}
		events = append(events, e)
	}
	if len(events) > 1 && s.options.RefuseLines {
		return nil, errors.New("several objects in one body are not documented")
	}
	return events, nil
}

// csvEvents makes an event of each row. The names are those of headers, or of
// the first row.
func csvEvents(r *request) ([]json.RawMessage, error) {
	body := r.body
	if strings.HasSuffix(r.query.Get("filename"), ".gz") {
		var err error
		if body, err = gunzip(body); err != nil {
			return nil, errors.New("the file is not gzip, as its name says")
		}
	}
	in := csv.NewReader(bytes.NewReader(body))
	switch d := r.query.Get("delimiter"); d {
	case "":
	case "t":
		in.Comma = '\t'
	case "|":
		in.Comma = '|'
	default:
		return nil, fmt.Errorf("delimiter %q is not documented", d)
	}
	rows, err := in.ReadAll()
	if err != nil {
		return nil, err
	}
	names := strings.Split(r.query.Get("headers"), ",")
	if r.query.Get("headers") == "" {
		if len(rows) == 0 {
			return nil, errors.New("there is no header row")
		}
		names, rows = rows[0], rows[1:]
	}
	appended := map[string]any{}
	if text := r.query.Get("append"); text != "" {
		if err := json.Unmarshal([]byte(text), &appended); err != nil {
			return nil, errors.New("append is not a JSON object")
		}
	}
	var events []json.RawMessage
	for _, row := range rows {
		e := map[string]any{}
		for i, cell := range row {
			if cell != "" && i < len(names) {
				e[names[i]] = cell
			}
		}
		for k, v := range appended {
			e[k] = v
		}
		text, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		events = append(events, text)
	}
	return events, nil
}

// event checks one event. Lytics knows no id of an event: the stand-in gives it
// one by its order of arrival.
func (s *Server) event(data json.RawMessage, stamp string, limit int) (jobs.Event, error) {
	v := gjson.ParseBytes(data)
	switch {
	case !v.IsObject():
		return jobs.Event{}, errors.New("an event is not an object")
	case len(data) > limit:
		return jobs.Event{}, fmt.Errorf("an event has %d bytes, at most %d are allowed", len(data), limit)
	case holdsObjects(v, false):
		return jobs.Event{}, errors.New("an event has objects in an array")
	case s.isPoisoned(data):
		return jobs.Event{}, errors.New("an event holds the text of RejectEventsWith")
	}
	at := s.options.Now()
	if stamp != "" {
		var err error
		if at, err = time.Parse(time.RFC3339Nano, v.Get(gjson.Escape(stamp)).String()); err != nil {
			return jobs.Event{}, fmt.Errorf("%s is not a time", stamp)
		}
	}
	s.arrived++
	return jobs.Event{ID: fmt.Sprintf("%016d", s.arrived), Time: at, Data: data}, nil
}

// holdsObjects tells whether an array in the value has an object in it.
func holdsObjects(v gjson.Result, inArray bool) (found bool) {
	if v.IsObject() && inArray {
		return true
	}
	if !v.IsObject() && !v.IsArray() {
		return false
	}
	v.ForEach(func(_, e gjson.Result) bool {
		found = holdsObjects(e, v.IsArray())
		return !found
	})
	return found
}
