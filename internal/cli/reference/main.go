// Command reference writes the reference of the command line to a file.
package main

import (
	"bytes"
	"log"
	"os"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("give the file to write")
	}
	var text bytes.Buffer
	if err := cli.Reference(&text); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[1], text.Bytes(), 0o644); err != nil { // #nosec G306 -- documentation
		log.Fatal(err)
	}
}
