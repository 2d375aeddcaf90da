// Package terraformtest has the provider's tests that run the real Terraform, with
// fake stores behind the provider. What needs no Terraform is tested in package
// provider, over the plugin protocol.
package terraformtest
