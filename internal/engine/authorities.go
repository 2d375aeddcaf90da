package engine

import (
	"crypto/x509"
	"fmt"
	"path/filepath"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// rootCAs returns the certificate authorities of the operator: the system's, and those of
// the ca_file of the provider block or of the runner's configuration.
func (o Options) rootCAs() (*x509.CertPool, error) {
	roots, err := egress.ReadCAs(o.CAFile)
	if err != nil {
		// Without an attribute, which would be that of the authorization.
		return nil, jobs.Invalid("", fmt.Sprintf("The ca_file %q of the provider block or of the runner's configuration cannot be used", o.CAFile),
			err.Error()+".", usableCAFile)
	}
	return roots, nil
}

// usableCAFile is what to do about a ca_file that cannot be used.
const usableCAFile = "Give the path of a file that this process can read, with certificates in PEM form, of at most 1 MiB"

// rootCAs returns a function that reads the certificate authorities of an authorization's
// connections: those of the operator and those of its ca_file. It is called for each
// connection, so that a renewed file counts.
func (e *Engine) rootCAs(row store.AuthorizationRow) func() (*x509.CertPool, error) {
	return func() (*x509.CertPool, error) {
		roots, err := e.options.rootCAs()
		if err != nil {
			return nil, err
		}
		if err := e.checkCAFile(row); err != nil {
			return nil, err
		}
		if roots, err = egress.AddCAs(roots, row.CAFile); err != nil {
			return nil, jobs.Invalid("ca_file", fmt.Sprintf("The ca_file %q of the authorization cannot be used", row.CAFile),
				fmt.Sprintf("The process that executes the run reads it: %v.", err), usableCAFile+"; or leave ca_file out")
		}
		return roots, nil
	}
}

// checkCAFile refuses a relative path on a runner, whose working directory the author of
// the definition does not know.
func (e *Engine) checkCAFile(row store.AuthorizationRow) error {
	if row.CAFile == "" || !e.options.ForeignDefinitions || filepath.IsAbs(row.CAFile) && filepath.Clean(row.CAFile) == row.CAFile {
		return nil
	}
	return jobs.Invalid("ca_file", fmt.Sprintf("The ca_file %q cannot be used on a runner", row.CAFile),
		"It is relative, or has parts such as \"..\".", "Give the absolute path of the file on the runner's machine")
}
