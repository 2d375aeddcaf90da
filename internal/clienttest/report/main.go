// Command report says, after make test, which newer clients of the provider its tests ran
// with, and what was left out because there is none.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/clienttest"
)

func main() {
	found, err := clienttest.Find(context.Background(), os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, line := range clienttest.Report(found) {
		fmt.Println(line)
	}
}
