// Command report makes docs/reliability.md from the results of make torture and from
// the tests that name numbers of the failure catalogue.
//
//	report                      writes the document
//	report -in FILE             prints the table of the results of a run
//	report -in FILE -keep       keeps them for the document too, and writes it
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

const (
	document = "docs/reliability.md"
	kept     = "internal/torture/report/results.json"
)

func main() {
	in := flag.String("in", "", "`file` with the results of a run, a line of JSON each")
	keep := flag.Bool("keep", false, "keep the results for the document")
	flag.Parse()
	if err := run(*in, *keep); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in string, keep bool) error {
	results, err := readKept(kept)
	if err != nil {
		return err
	}
	if in != "" {
		records, err := readLines(in)
		if err != nil {
			return err
		}
		fmt.Print(table(records))
		if bad := found(records); bad != "" {
			return errors.New(bad)
		}
		if !keep {
			return nil
		}
		results = merge(results, records)
		if err := writeKept(kept, results); err != nil {
			return err
		}
	}
	tests, err := torture.Tests(".")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.FromSlash(document), []byte(render(results, tests)), 0o600)
}

// readKept reads the results that are kept; without a file there are none.
func readKept(file string) ([]torture.Record, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseKept(text)
}
