package redact

// Error returns an error whose text passes through Text, and which wraps err. It is
// for errors that a library prints or stores.
func Error(err error) error {
	if err == nil {
		return nil
	}
	return hidden{err}
}

type hidden struct{ err error }

func (h hidden) Error() string { return Text(h.err.Error()) }

// Unwrap returns the error whose text may have secrets.
func (h hidden) Unwrap() error { return h.err }
