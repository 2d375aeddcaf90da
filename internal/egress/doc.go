// Package egress owns the outgoing connections of the product: which addresses
// may be dialled, through which proxy, and which certificate authorities are
// trusted. The Databricks driver's transport, the Lytics client, the S3 client of
// staging and the alerts use it.
//
// Limits bound the answers: bytes as received and after inflating, values and nesting of
// JSON, time in all and without a byte. Pages bounds lists that are read page by page.
// ReadFile bounds the files that definitions name for a connection.
//
// Host names come from definitions that other people write. With a name that resolves
// to an internal address, they could reach the servers that this machine can reach
// (server-side request forgery). The address is therefore checked when it is dialled,
// after name resolution. A name that changes its address after a check (DNS rebinding)
// does not bypass this check.
//
// Cloud metadata services, link-local and other reserved addresses are never dialled.
// Private and loopback addresses are dialled if Rules allow them, or for a proxy that the
// environment names.
package egress
