package egress

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// MaxCAFile is the largest size of a file of certificate authorities, in bytes. The list of
// an operating system has about 200 KB.
const MaxCAFile = 1 << 20

// ReadCAs returns the system's certificate authorities and those of a PEM file. Without
// a file it returns nil, which means the system's.
func ReadCAs(file string) (*x509.CertPool, error) { return AddCAs(nil, file) }

// AddCAs returns certificate authorities, of which nil means the system's, and those of a
// PEM file. Without a file it returns them as they are. The errors have the reason, and
// nothing of the file's content.
func AddCAs(roots *x509.CertPool, file string) (*x509.CertPool, error) {
	if file == "" {
		return roots, nil
	}
	pem, err := ReadFile(file, MaxCAFile)
	if err != nil {
		return nil, err
	}
	if roots != nil {
		roots = roots.Clone()
	} else if roots, err = x509.SystemCertPool(); err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("the file has no certificate in PEM form")
	}
	return roots, nil
}

// IsTLSFailure reports whether an error is that of a certificate that is not accepted, or
// of a server that does not speak TLS.
func IsTLSFailure(err error) bool {
	var certificate *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var record tls.RecordHeaderError
	return errors.As(err, &certificate) || errors.As(err, &unknown) || errors.As(err, &hostname) || errors.As(err, &record)
}
