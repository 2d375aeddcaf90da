// Package egress owns the outgoing connections of the product: which addresses
// may be dialled, through which proxy, and which certificate authorities are
// trusted. The Databricks driver's transport, the Lytics client, the S3 client
// of staging and the alerts connect by it.
//
// Host names come from definitions that other people write, so a name that
// resolves to an internal address would let them reach what this machine can
// reach (server-side request forgery). The address is therefore checked when it
// is dialled, after name resolution: no DNS answer gets around the check, and a
// name that changes its address between check and use (DNS rebinding) gains
// nothing.
//
// Cloud metadata services, link-local and other reserved addresses are never
// dialled. Private and loopback addresses are dialled where Rules say so, and
// for a proxy that the environment names.
package egress
