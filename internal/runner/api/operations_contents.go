package api

import (
	"bufio"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// streamed describes an answer that is a stream instead of one JSON document.
func streamed(mediaType, about string, of *huma.Schema) map[string]*huma.Response {
	return map[string]*huma.Response{strconv.Itoa(http.StatusOK): {
		Description: about, Content: map[string]*huma.MediaType{mediaType: {Schema: of}},
	}}
}

func (s *Server) describeContents(api huma.API) {
	a := s.config.API
	// A user's identity is sent in the body, because URLs are logged.
	register(api, route{http.MethodPost, "/profiles/find", "get-profile", "Read the profile of the user who has an identity"},
		func(ctx context.Context, in *answer[jobs.Identity]) (*answer[map[string]*string], error) {
			profile, err := a.Profile(ctx, in.Body)
			out := map[string]*string{}
			for name, v := range profile {
				out[name] = protocol.ValuesOf([]jobs.Value{v})[0]
			}
			return &answer[map[string]*string]{out}, err
		})
	register(api, route{http.MethodPost, "/erasures", "erase", "Erase a user permanently, or report what would be erased"},
		func(ctx context.Context, in *answer[jobs.ErasureRequest]) (*answer[jobs.Erasure], error) {
			e, err := a.Erase(ctx, in.Body)
			e.Identities, e.Streams = list(e.Identities, itself), list(e.Streams, itself)
			return &answer[jobs.Erasure]{e}, err
		})
	register(api, route{http.MethodGet, "/erasures/{id}", "get-erasure", "Report whether a Lytics account has executed an erasure request"},
		func(ctx context.Context, in *byID) (*answer[protocol.ErasureStatus], error) {
			done, err := a.ErasureDone(ctx, in.ID)
			return &answer[protocol.ErasureStatus]{protocol.ErasureStatus{Done: done}}, err
		})

	schemas := api.OpenAPI().Components.Schemas
	events := route{http.MethodGet, "/events", "list-events", "Read the events of a stream, in the order they were written"}
	op := events.operation()
	op.Responses = streamed(protocol.NDJSON, "One event per line. The last line has \"end\"; without it the answer is incomplete.",
		schemas.Schema(typeOf[protocol.Event](), true, ""))
	huma.Register(api, op, wrap(events, s.events))

	profiles := route{http.MethodGet, "/audiences/{id}/profiles", "scan-audience", "Read the profiles of an audience, by id or slug"}
	op = profiles.operation()
	op.Responses = streamed(
		protocol.NDJSON,
		"The first line has the fields. Each further line has the values of one profile, in the order of the fields. "+
			"The last line has \"end\"; without it the answer is incomplete.",
		schemas.Schema(typeOf[protocol.Row](), true, ""),
	)
	huma.Register(api, op, wrap(profiles, s.profiles))
}

type streamOf struct {
	Stream string `query:"stream" required:"true" doc:"Name of the stream."`
}

func (s *Server) events(ctx context.Context, in *streamOf) (*huma.StreamResponse, error) {
	return stream(s.config.API.EventLines(ctx, in.Stream), func(w answerWriter, lines []byte) error {
		_, err := w.Write(lines)
		return err
	})
}

type scanOf struct {
	ID     string   `path:"id"`
	Fields []string `query:"fields,explode" doc:"Only these fields, in this order. The default is all."`
}

func (s *Server) profiles(ctx context.Context, in *scanOf) (*huma.StreamResponse, error) {
	fields, rows, err := s.config.API.Scan(ctx, in.ID, in.Fields)
	if err != nil {
		return nil, err
	}
	head := protocol.Row{Fields: list(fields, fieldOf)}
	return stream(rows, func(w answerWriter, row []jobs.Value) error {
		return w.Encode(protocol.Row{Values: protocol.ValuesOf(row)})
	}, head)
}

// answerWriter writes lines of an answer.
type answerWriter struct {
	*bufio.Writer
	*json.Encoder
}

// stream sends a sequence as NDJSON, after the lines of head. An error before the first value is sent as
// a Problem; a later error ends the stream.
func stream[T any](values iter.Seq2[T, error], write func(answerWriter, T) error, head ...any) (*huma.StreamResponse, error) {
	next, stop := iter.Pull2(values)
	v, err, more := next()
	if err != nil {
		stop()
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer stop()
		hc.SetHeader("Content-Type", protocol.NDJSON)
		w := bufio.NewWriterSize(hc.BodyWriter(), 64<<10)
		answer := answerWriter{w, json.NewEncoder(w)}
		answer.SetEscapeHTML(false)
		for _, h := range head {
			if answer.Encode(h) != nil {
				return
			}
		}
		for ; more && err == nil; v, err, more = next() {
			if write(answer, v) != nil {
				// The client is gone.
				return
			}
		}
		end := &protocol.End{}
		if err != nil {
			end.Problem = protocol.ProblemOf(err, "read on")
		}
		if answer.Encode(map[string]any{"end": end}) == nil {
			_ = w.Flush()
		}
	}}, nil
}
