package repository

import (
	"os"
	"path/filepath"
	"testing"
)

// The tests name files as the documents do: from the repository's root.
func TestMain(m *testing.M) {
	if err := os.Chdir(filepath.Join("..", "..")); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
