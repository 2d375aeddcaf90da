// Package acceptance holds the tests that do what a user does: the real
// Terraform, with the provider's own binary, against a sandbox warehouse over
// the real driver and the real S3 client.
package acceptance
