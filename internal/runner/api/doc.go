// Package api serves the jobs API over HTTP: JSON with an OpenAPI description,
// errors as problem details, long answers as streams. It works over any
// jobs.API, and owns who may call: the token, the host names, where it may
// listen. Package client is its other end.
package api
