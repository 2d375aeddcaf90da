package repository

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// lastNumber is the last number of the failure catalogue.
const lastNumber = 84

// Every failure of the catalogue has a test that names it.
func TestEveryNumberOfTheChecklistHasATest(t *testing.T) {
	t.Parallel()
	found, err := torture.Tests(".")
	if err != nil {
		t.Fatal(err)
	}
	for n, tests := range found {
		if n < 1 || n > lastNumber {
			t.Errorf("%v name number %d, want one from 1 to %d", tests, n, lastNumber)
		}
	}
	for n := 1; n <= lastNumber; n++ {
		if len(found[n]) == 0 {
			t.Errorf("no test names number %d of the failure catalogue", n)
		}
	}
	if got := len(torture.Catalogue()); got != lastNumber {
		t.Errorf("the catalogue has %d failures, want %d", got, lastNumber)
	}
}
