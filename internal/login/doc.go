// Package login obtains access tokens of a Databricks workspace, where the token is not
// stored: from a file or a command, by exchanging an identity token (workload identity
// federation), from a configuration file or the environment of Databricks' tools, and
// from the identities of Azure and Google. The kinds, their names and their variables are
// those of Databricks' unified authentication.
//
// Databricks' SDK reads the configuration files and variables, exchanges identity tokens,
// and knows Azure's clouds; Google's libraries sign and impersonate. What they send goes
// through the transport of this package, because they follow redirects, dial every
// address, read answers without a limit, and do not end with the caller's context. The
// endpoint of the machine's identity and GitHub's issuer are called here, because the SDK
// writes their parameters into a URL without escaping them.
//
// Every token that passes is known to package redact.
package login
