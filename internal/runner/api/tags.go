package api

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// tags are the groups of operations in the description.
var tags = []*huma.Tag{
	{Name: "Store", Description: "The store of the runner, the processes that use it, and the owners of its objects."},
	{Name: "Authorizations", Description: "How to reach warehouses, and what their catalogs have."},
	{Name: "Jobs", Description: "Table imports and audience exports."},
	{Name: "Runs", Description: "The executions of jobs, and their logs."},
	{Name: "Quarantine", Description: "Rows of imports that the platform rejected."},
	{Name: "Profiles", Description: "User fields, mappings, audiences, streams, profiles, and their erasure."},
	{Name: "Access", Description: "Named tokens, and the audit log."},
}

// tagsOfPaths has the tag of the operations below each first segment of a path.
var tagsOfPaths = map[string]string{
	"store": "Store", "clients": "Store", "objects": "Store",
	"authorizations": "Authorizations", "catalog": "Authorizations",
	"jobs": "Jobs", "runs": "Runs", "quarantine": "Quarantine",
	"judgements": "Profiles", "fields": "Profiles", "mappings": "Profiles", "audiences": "Profiles", "streams": "Profiles",
	"events": "Profiles", "profiles": "Profiles", "erasures": "Profiles",
	"tokens": "Access", "sign-in-codes": "Access", "audit": "Access",
}

// tag is the group of an operation.
func (r route) tag() string {
	switch {
	case strings.Contains(r.path, "/quarantine"):
		return "Quarantine"
	case strings.Contains(r.path, "/runs"):
		return "Runs"
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(r.path, "/"), "/")
	tag, ok := tagsOfPaths[first]
	if !ok {
		panic("the operation " + r.id + " has no tag") // found by the first test that makes a server
	}
	return tag
}
