// Package redact keeps secrets out of texts. It knows every secret that this process
// has opened, in the forms in which a far side, a library or an encoder may repeat
// it, and the shapes of credentials that nobody opened here, such as the signature
// of a presigned URL.
//
// A secret is known from Remember until no value holds what Remember returned. The
// most recently opened ones stay known after that, because the text of an error may
// be written when the connection that used the secret is gone.
//
// Secrets of eight and more bytes are found anywhere in a text. Shorter ones, down to
// three, are found where they stand alone, since they also are parts of words. A
// secret of one or two bytes is not looked for: a text with all its occurrences
// removed would tell what it is.
package redact
