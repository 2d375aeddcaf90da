package lytics

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

const streamPath = "/v2/stream"

// stream is a stream as the API describes it.
type stream struct {
	Name        string     `json:"name"`
	Count       int64      `json:"count"`
	CountCT     int64      `json:"ct"` // the name of count in another source
	AverageSize int64      `json:"avg_event_size"`
	LastMessage *time.Time `json:"last_msg_ts"`
}

// info converts a stream. Lytics does not return the time of the first event, and returns
// only the average size of an event.
func (s stream) info() jobs.StreamInfo {
	i := jobs.StreamInfo{Name: s.Name, Events: cmp.Or(s.Count, s.CountCT)}
	i.Bytes = i.Events * s.AverageSize
	if s.LastMessage != nil && !s.LastMessage.IsZero() {
		t := s.LastMessage.UTC()
		i.LastTime = &t
	}
	return i
}

// StreamInfo describes a stream by Lytics's counts.
func (p *Platform) StreamInfo(ctx context.Context, name string) (jobs.StreamInfo, error) {
	c := p.get("Cannot read stream "+name, streamPath+"/"+url.PathEscape(name))
	c.object = [2]string{"stream", name}
	var s stream
	if err := p.into(ctx, c, &s); err != nil {
		return jobs.StreamInfo{}, err
	}
	return s.info(), nil
}

// Streams lists all streams by name.
func (p *Platform) Streams(ctx context.Context) ([]jobs.StreamInfo, error) {
	var all []stream
	if err := p.into(ctx, p.get("Cannot read the streams", streamPath), &all); err != nil {
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
