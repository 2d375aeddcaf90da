package api

import (
	"context"
	_ "embed"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// Description is the API's OpenAPI 3.1 document, served at /openapi.json.
//
//go:embed openapi.json
var Description []byte

func serveDescription(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(Description)
}

// init makes the framework report invalid requests as Problems.
func init() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		parts := []string{}
		for _, err := range errs {
			if err != nil {
				parts = append(parts, mistakeIn(err))
			}
		}
		return &protocol.Problem{
			Type: "about:blank", Title: "The runner cannot accept this request: " + message, Status: status, Code: jobs.CodeInvalid,
			Detail: strings.Join(parts, "; "), Next: "See /openapi.json for the parameters of each operation",
		}
	}
}

// mistakeIn says which rule a request breaks, and where. The framework's own text
// would add the value, which may be a secret.
func mistakeIn(err error) string {
	d, ok := errors.AsType[*huma.ErrorDetail](err)
	if !ok {
		return err.Error()
	}
	place := d.Location
	if parent, name := cutLast(place); d.Message == unexpectedProperty && !propertyName.MatchString(name) {
		place = parent // the name of the property may be a misplaced secret
	}
	return d.Message + " (" + place + ")"
}

// unexpectedProperty is the framework's message for a property that the schema
// does not have; propertyName is the form that names of properties have.
const unexpectedProperty = "unexpected property"

var propertyName = regexp.MustCompile(`^[a-z_]{1,40}$`)

// cutLast splits a location, such as body.spec.port, before its last name.
func cutLast(location string) (parent, name string) {
	i := strings.LastIndex(location, ".")
	if i < 0 {
		return "", location
	}
	return location[:i], location[i+1:]
}

// describe registers all operations.
func (s *Server) describe(mux *http.ServeMux) huma.API {
	config := huma.DefaultConfig("Lytics runner", "1")
	config.Info.Description = "The API of a runner: authorizations, table imports, audience exports, their runs, " +
		"and the data of the customer-data platform. Errors are problem details (RFC 9457); their code says what a caller can do."
	config.Info.License = &huma.License{Name: "Mozilla Public License 2.0", Identifier: "MPL-2.0"}
	config.Servers = []*huma.Server{{URL: "/", Description: "The runner that this description was read from."}}
	config.Tags = tags
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
	s.describeQuarantine(api)
	s.describeCatalog(api)
	s.describePlatform(api)
	s.describeContents(api)
	s.describeAccess(api)
	describeFailureTexts(api)
	describeDurations(api)
	return api
}

// describeDurations adds the durations in seconds, which package jobs reads and writes
// beside those in nanoseconds.
func describeDurations(api huma.API) {
	schemas := api.OpenAPI().Components.Schemas
	add := func(to string, durations reflect.Type, old string) {
		s := schemas.Map()[to]
		maps.Copy(s.Properties, huma.SchemaFromType(schemas, durations).Properties)
		s.Properties[old].Deprecated = true
		s.Properties[old].Description = "The same in nanoseconds, for callers of earlier releases. In a request, seconds go before it."
		s.Required = slices.DeleteFunc(slices.Clone(s.Required), func(name string) bool { return name == old })
		s.PrecomputeMessages() // the validation knows the properties by it
	}
	add("TableImport", reflect.TypeFor[jobs.ImportDurations](), "lookback_ns")
	add("JobSpec", reflect.TypeFor[jobs.JobDurations](), "query_timeout_ns")
	add("Job", reflect.TypeFor[jobs.JobDurations](), "query_timeout_ns")
}

// describeFailureTexts adds the properties that Run.MarshalJSON adds to the
// fields of Run.
func describeFailureTexts(api huma.API) {
	schemas := api.OpenAPI().Components.Schemas
	texts := huma.SchemaFromType(schemas, reflect.TypeFor[jobs.FailureTexts]())
	maps.Copy(schemas.Map()["Run"].Properties, texts.Properties)
}

// answer is an operation's output.
type answer[T any] struct{ Body T }

// none is the input of an operation without parameters, or the output of one
// without a result.
type none struct{}

// byID is the input of an operation on one object.
type byID struct {
	ID string `path:"id"`
}

// list converts a slice. The result is never nil, so that JSON has [] and not
// null.
func list[A, B any](in []A, convert func(A) B) []B {
	out := make([]B, 0, len(in))
	for _, v := range in {
		out = append(out, convert(v))
	}
	return out
}

// route is the method, path, id and summary of an operation.
type route struct {
	method, path, id, summary string
}

func (r route) operation() huma.Operation {
	needed, ok := roles[r.id]
	if !ok {
		panic("the operation " + r.id + " has no role") // found by the first test that makes a server
	}
	return huma.Operation{
		OperationID: r.id, Method: r.method, Path: protocol.Base + r.path, Summary: r.summary, Tags: []string{r.tag()},
		Description: "Needs a token with the role " + string(needed) + ".",
		Middlewares: huma.Middlewares{r.withRole(needed)},
		Errors: []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict,
			http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout},
		// withBody has already read and bounded the body.
		MaxBodyBytes: -1, BodyReadTimeout: -1,
	}
}

// register adds an operation. An error of do is sent as a Problem.
func register[I, O any](api huma.API, r route, do func(context.Context, *I) (*O, error)) {
	huma.Register(api, r.operation(), wrap(r, do))
}

func wrap[I, O any](r route, do func(context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, protocol.ProblemOf(err, strings.ToLower(r.summary[:1])+r.summary[1:])
		}
		return out, nil
	}
}

// get adapts a call that returns a value for an id.
func get[T, W any](call func(context.Context, string) (T, error), convert func(T) W) func(context.Context, *byID) (*answer[W], error) {
	return func(ctx context.Context, in *byID) (*answer[W], error) {
		v, err := call(ctx, in.ID)
		return &answer[W]{convert(v)}, err
	}
}

// actionByID adapts a call on an id without a result.
func actionByID(call func(context.Context, string) error) func(context.Context, *byID) (*none, error) {
	return func(ctx context.Context, in *byID) (*none, error) { return &none{}, call(ctx, in.ID) }
}

// OpenAPI describes the registered operations. It is the source of Description.
func OpenAPI() *huma.OpenAPI {
	return (&Server{config: Config{API: unimplemented{}}}).describe(http.NewServeMux()).OpenAPI()
}

// unimplemented has the methods of jobs.API for the registration; none of them
// is called.
type unimplemented struct{ jobs.API }
