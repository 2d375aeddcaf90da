package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/pierrec/lz4/v4"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
)

// floorArrow reads the rows as native Arrow and counts their bytes: as they are, and each
// batch in LZ4, as a warehouse compresses them.
func floorArrow(ctx context.Context, w work, _ func(result)) (r result, err error) {
	var plain, packed written
	err = onDriver(ctx, w, func(query queryDriver) error {
		rows, end, err := query("SELECT * FROM main.bench." + w.Table)
		if err != nil {
			return err
		}
		defer end()
		streams, err := rows.GetArrowIPCStreams(ctx)
		if err != nil {
			return err
		}
		defer streams.Close()
		compressor := lz4.NewWriter(&packed)
		for streams.HasNext() {
			part, err := streams.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			compressor.Reset(&packed)
			if _, err := io.Copy(io.MultiWriter(&plain, compressor), part); err != nil {
				return err
			}
			if err := compressor.Close(); err != nil {
				return err
			}
		}
		return nil
	})
	return result{Rows: int64(w.Rows), Bytes: int64(plain), Packed: int64(packed)}, err
}

// written counts the bytes that are written to it.
type written int64

func (n *written) Write(p []byte) (int, error) {
	*n += written(len(p))
	return len(p), nil
}

// everybody is the slug of the audience that is scanned.
const everybody = "everybody"

// openAudience opens the account, with the audience of all profiles in it.
func openAudience(ctx context.Context, w work) (*lytics.Platform, error) {
	e, _, err := open(ctx, w)
	if err != nil {
		return nil, err
	}
	defer func() { _ = e.Close() }()
	if _, err := e.Audience(ctx, everybody); err != nil {
		if _, err := e.CreateAudience(ctx, jobs.Audience{Name: everybody, Slug: everybody, Filter: "FILTER *"}, ""); err != nil {
			return nil, err
		}
	}
	return lytics.Open(lytics.Config{
		Token:  func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(w.Lytics.Token), nil },
		APIURL: w.Lytics.APIURL, BulkURL: w.Lytics.BulkURL,
	})
}

// scanRows scans the audience.
func scanRows(ctx context.Context, w work, _ func(result)) (result, error) {
	p, err := openAudience(ctx, w)
	if err != nil {
		return result{}, err
	}
	watch := startWatch()
	_, rows, err := p.Scan(ctx, everybody, nil)
	if err != nil {
		return result{}, err
	}
	var n int64
	for _, err := range rows {
		if err != nil {
			return result{}, err
		}
		n++
	}
	return wholeScan(watch.stop(n), w)
}

func wholeScan(r result, w work) (result, error) {
	if r.Rows != int64(w.Rows) {
		return r, fmt.Errorf("a scan read %d profiles of %d", r.Rows, w.Rows)
	}
	return r, nil
}

// floorScan reads one page of the audience after the other, and only looks for the next.
func floorScan(ctx context.Context, w work, _ func(result)) (result, error) {
	if _, err := openAudience(ctx, w); err != nil {
		return result{}, err
	}
	watch := startWatch()
	var segment struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := getLytics(ctx, w, "/v2/segment/"+everybody, nil, &segment); err != nil {
		return result{}, err
	}
	var n int64
	for query := (url.Values{"limit": {"100"}}); ; {
		var page struct {
			Data []json.RawMessage `json:"data"`
			Next string            `json:"_next"`
		}
		if err := getLytics(ctx, w, "/api/segment/"+segment.Data.ID+"/scan", query, &page); err != nil {
			return result{}, err
		}
		n += int64(len(page.Data))
		if page.Next == "" {
			return wholeScan(watch.stop(n), w)
		}
		query.Set("start", page.Next)
	}
}

func getLytics(ctx context.Context, w work, path string, query url.Values, into any) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.Lytics.APIURL+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", w.Lytics.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
