// Package acceptance has end-to-end tests: the real Terraform with the built
// provider, against a sandbox warehouse, through the real driver and the real S3
// client.
package acceptance
