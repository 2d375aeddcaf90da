// Command notes prints the section of CHANGELOG.md for a version, which becomes the text of
// the release. It fails if there is none.
package main

import (
	"fmt"
	"os"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/release"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: notes VERSION")
		os.Exit(2)
	}
	text, err := os.ReadFile("CHANGELOG.md")
	if err == nil {
		var notes string
		if notes, err = release.Notes(string(text), os.Args[1]); err == nil {
			fmt.Print(notes)
			return
		}
	}
	fmt.Fprintln(os.Stderr, "notes:", err)
	os.Exit(1)
}
