// Package jobs defines the product's types: authorizations, jobs, schedules,
// runs, and the objects of the catalog and of the platform; their validation;
// the errors that all layers return; and API, the interface that the Terraform
// provider and the command line use.
//
// It is the bottom of the import graph: it imports no package of this module.
package jobs
