// Package platform holds what is true of the customer-data side whatever
// stands behind it: which fields, mappings and audiences make sense.
//
// Its functions are pure, so that the Terraform provider refuses at plan time
// what the platform would refuse at apply time, in the same words.
package platform
