// Package repository has the tests of the repository's own files: documents, guides, the
// makefile, workflows, the image. It is apart from the root package because a test binary
// there links the whole product, which costs more than these tests.
package repository
