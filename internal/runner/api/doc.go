// Package api serves a jobs.API over HTTP: JSON with an OpenAPI description,
// errors as problem details, long answers as streams. It also controls access:
// the token, the allowed host names and the listen address. Package client calls
// it.
package api
