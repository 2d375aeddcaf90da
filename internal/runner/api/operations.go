package api

import (
	"context"
	_ "embed"
	"maps"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// Description is the API's OpenAPI 3.1 document, as /openapi.json gives it.
//
//go:embed openapi.json
var Description []byte

func serveDescription(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(Description)
}

// init makes the framework's own refusals of a request look like all others.
func init() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		parts := []string{}
		for _, err := range errs {
			if err != nil {
				parts = append(parts, err.Error())
			}
		}
		return &protocol.Problem{
			Type: "about:blank", Title: "The runner does not take this request: " + message, Status: status, Code: jobs.CodeInvalid,
			Detail: strings.Join(parts, "; "), Next: "See /openapi.json for what it takes",
		}
	}
}

// describe registers all operations.
func (s *Server) describe(mux *http.ServeMux) huma.API {
	config := huma.DefaultConfig("Lytics runner", "1")
	config.Info.Description = "The jobs of a runner: authorizations, table imports, audience exports, their runs, " +
		"and what the customer-data platform holds. Errors are problem details (RFC 9457); their code says what a caller can do."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.RejectUnknownQueryParameters = true
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	config.Security = []map[string][]string{{"token": {}}}
	api := humago.New(mux, config)
	s.describeStore(api)
	s.describeAuthorizations(api)
	s.describeJobs(api)
	s.describeRuns(api)
	s.describeCatalog(api)
	s.describePlatform(api)
	s.describeContents(api)
	describeFailureTexts(api)
	return api
}

// describeFailureTexts adds what Run.MarshalJSON adds to a run's own fields.
func describeFailureTexts(api huma.API) {
	schemas := api.OpenAPI().Components.Schemas
	texts := huma.SchemaFromType(schemas, reflect.TypeFor[jobs.FailureTexts]())
	maps.Copy(schemas.Map()["Run"].Properties, texts.Properties)
}

// answer is an operation's output.
type answer[T any] struct{ Body T }

// none is the input of an operation that takes nothing, or the output of one
// that gives nothing.
type none struct{}

// byID is the input of an operation on one object.
type byID struct {
	ID string `path:"id"`
}

// list is never null in JSON.
func list[A, B any](in []A, convert func(A) B) []B {
	out := make([]B, 0, len(in))
	for _, v := range in {
		out = append(out, convert(v))
	}
	return out
}

// route is where an operation is found, and what it is called.
type route struct {
	method, path, id, summary string
}

func (r route) operation() huma.Operation {
	return huma.Operation{
		OperationID: r.id, Method: r.method, Path: protocol.Base + r.path, Summary: r.summary,
		Errors: []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusConflict,
			http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout},
		// The body was read before, and bounded.
		MaxBodyBytes: -1, BodyReadTimeout: -1,
	}
}

// register adds an operation; what do returns as an error goes out as a
// problem.
func register[I, O any](api huma.API, r route, do func(context.Context, *I) (*O, error)) {
	huma.Register(api, r.operation(), wrap(r, do))
}

func wrap[I, O any](r route, do func(context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		noteRoute(ctx, r.path)
		out, err := do(ctx, in)
		if err != nil {
			return nil, protocol.ProblemOf(err, strings.ToLower(r.summary[:1])+r.summary[1:])
		}
		return out, nil
	}
}

// get adapts a call that gives a value for an id.
func get[T, W any](call func(context.Context, string) (T, error), convert func(T) W) func(context.Context, *byID) (*answer[W], error) {
	return func(ctx context.Context, in *byID) (*answer[W], error) {
		v, err := call(ctx, in.ID)
		return &answer[W]{convert(v)}, err
	}
}

// actionByID adapts a call on an id that gives nothing.
func actionByID(call func(context.Context, string) error) func(context.Context, *byID) (*none, error) {
	return func(ctx context.Context, in *byID) (*none, error) { return &none{}, call(ctx, in.ID) }
}

// put adapts a call that takes a value and gives it back as it is kept.
func put[T, W any](
	call func(context.Context, T) (T, error),
	in func(W) T,
	out func(T) W,
) func(context.Context, *answer[W]) (*answer[W], error) {
	return func(ctx context.Context, body *answer[W]) (*answer[W], error) {
		v, err := call(ctx, in(body.Body))
		return &answer[W]{out(v)}, err
	}
}

// OpenAPI describes the operations as they are registered, for whoever writes
// the Description.
func OpenAPI() *huma.OpenAPI {
	return (&Server{config: Config{API: undescribed{}}}).describe(http.NewServeMux()).OpenAPI()
}

// undescribed has methods to register, and nothing behind them.
type undescribed struct{ jobs.API }
