// Package jobs owns the product's vocabulary: authorizations, jobs, schedules,
// runs, and what the catalog and the platform look like from outside; their
// validation; the errors that all layers speak; and API, the interface that
// the Terraform provider and the command line use.
//
// It is the bottom of the import graph: it imports nothing of this module.
package jobs
