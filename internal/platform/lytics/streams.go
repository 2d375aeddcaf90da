package lytics

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

const streamPath = "/v2/stream"

// stream is a stream as the API describes it.
type stream struct {
	Name        string     `json:"name"`
	Count       *int64     `json:"count"`
	CountCT     *int64     `json:"ct"` // the name of count in another source
	AverageSize int64      `json:"avg_event_size"`
	LastMessage *time.Time `json:"last_msg_ts"`
}

// info converts a stream. Lytics does not return the time of the first event, and returns
// only the average size of an event.
func (s stream) info() jobs.StreamInfo {
	i := jobs.StreamInfo{Name: s.Name}
	if n := cmp.Or(s.Count, s.CountCT); n != nil {
		i.Events = *n
	}
	i.Bytes = i.Events * s.AverageSize
	if s.LastMessage != nil && !s.LastMessage.IsZero() {
		t := s.LastMessage.UTC()
		i.LastTime = &t
	}
	return i
}

// check returns an error if the counts are none.
func (s stream) check() error {
	for _, n := range []*int64{s.Count, s.CountCT, &s.AverageSize} {
		if n != nil && *n < 0 {
			return errors.New("a stream has a negative count")
		}
	}
	if i := s.info(); s.AverageSize != 0 && i.Bytes/s.AverageSize != i.Events {
		return errors.New("a stream has more bytes than can be counted")
	}
	return nil
}

// counted reports whether the API told the number of events.
func (s stream) counted() bool { return s.Count != nil || s.CountCT != nil }

// StreamInfo describes a stream by Lytics's counts.
func (p *Platform) StreamInfo(ctx context.Context, name string) (jobs.StreamInfo, error) {
	s, c, err := p.stream(ctx, name)
	if err == nil && !s.counted() {
		err = c.malformed(errors.New("the stream has no count"))
	}
	if err != nil {
		return jobs.StreamInfo{}, err
	}
	i := s.info()
	i.Name = name
	return i, nil
}

// stream reads a stream by its name, which the API need not repeat. It also returns the call.
func (p *Platform) stream(ctx context.Context, name string) (s stream, c call, err error) {
	c = p.get("Cannot read stream "+name, streamPath+"/"+url.PathEscape(name))
	c.object = [2]string{"stream", name}
	err = p.checked(ctx, c, &s, func() error {
		if s.Name != "" && s.Name != name {
			return fmt.Errorf("it is about the stream %q instead of %q", shorten(s.Name), name)
		}
		return s.check()
	})
	return s, c, err
}

// Streams lists all streams by name.
func (p *Platform) Streams(ctx context.Context) ([]jobs.StreamInfo, error) {
	var all []stream
	c := p.get("Cannot read the streams", streamPath)
	check := func(s stream) error {
		if s.Name == "" {
			return errors.New("a stream has no name")
		}
		return s.check()
	}
	if err := p.checked(ctx, c, &all, func() error { return firstError(all, check) }); err != nil {
		return nil, err
	}
	list := make([]jobs.StreamInfo, len(all))
	for i, s := range all {
		list[i] = s.info()
	}
	slices.SortFunc(list, func(a, b jobs.StreamInfo) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// unmarshal decodes a part of a response. If the part is absent, out is unchanged.
func unmarshal(text json.RawMessage, out any) error {
	if len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, out)
}
