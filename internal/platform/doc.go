// Package platform holds the rules that apply to every customer-data platform: which
// definitions of fields, mappings and audiences are valid.
//
// Its functions are pure, so that the Terraform provider can refuse an invalid
// definition at plan time with the same message as the platform at apply time.
package platform
