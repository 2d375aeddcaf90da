// Command thirdparty writes the licences of all modules that a released binary
// contains into one text, which each release archive carries: most of these licences
// ask for their text beside the binary. It fails if a module has no licence file, or
// one that the list of accepted licences does not have.
//
// google/go-licenses v1.6.0 prints nothing with Go 1.26; therefore the module list is
// read from go list, and the texts are recognised by google/licensecheck.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// accepted are the SPDX names of licences under which a module may be part of a
// binary that is distributed under the MPL 2.0. Arrow's file goes on with the licences
// of C++ code that is in no Go package; therefore the first licence of a file counts.
var accepted = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MPL-2.0", "Unlicense"}

// systems are the released systems: the modules of a binary depend on the system.
var systems = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *module
}

func main() {
	out := flag.String("out", "", "the file to write; standard output if empty")
	flag.Parse()
	text, err := collect(flag.Args())
	if err == nil && *out != "" {
		err = os.WriteFile(*out, text, 0o644) //nolint:gosec // a public text
	} else if err == nil {
		_, err = os.Stdout.Write(text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "thirdparty:", err)
		os.Exit(1)
	}
}

// collect returns the text for the modules of a main package.
func collect(args []string) ([]byte, error) {
	if len(args) != 1 {
		return nil, errors.New("name the directory of one main package")
	}
	modules, err := modulesOf(args[0])
	if err != nil {
		return nil, err
	}
	goRoot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	modules = append(modules, module{Path: "Go standard library", Version: runtime.Version(), Dir: strings.TrimSpace(string(goRoot))})

	var out bytes.Buffer
	fmt.Fprintf(&out, "This program contains %d modules of other authors. Their licences follow.\n", len(modules))
	var failures []error
	for _, m := range modules {
		if err := writeLicences(&out, m); err != nil {
			failures = append(failures, err)
		}
	}
	return out.Bytes(), errors.Join(failures...)
}

// modulesOf returns the modules, without the main module, whose packages are part of
// the binary on at least one released system.
func modulesOf(dir string) ([]module, error) {
	found := map[string]module{}
	for _, system := range systems {
		goos, goarch, _ := strings.Cut(system, "/")
		list := exec.Command("go", "list", "-deps", "-json=Module", ".")
		list.Dir = dir
		list.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
		list.Stderr = os.Stderr
		answer, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("go list for %s: %w", system, err)
		}
		for packages := json.NewDecoder(bytes.NewReader(answer)); ; {
			var p struct{ Module *module }
			if err := packages.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, fmt.Errorf("the answer of go list: %w", err)
			}
			if p.Module == nil || p.Module.Main {
				continue
			}
			m := *p.Module
			if m.Replace != nil {
				m = *m.Replace
			}
			found[m.Path] = m
		}
	}
	modules := make([]module, 0, len(found))
	for _, m := range found {
		modules = append(modules, m)
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return modules, nil
}

// writeLicences appends the licence and notice files of a module.
func writeLicences(out io.Writer, m module) error {
	files, err := licenceFiles(m.Dir)
	if err != nil {
		return fmt.Errorf("%s %s: %w", m.Path, m.Version, err)
	}
	recognised := false
	var texts bytes.Buffer
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(m.Dir, name))
		if err != nil {
			return err
		}
		if matches := licensecheck.Scan(text).Match; len(matches) > 0 {
			if id := matches[0].ID; !slices.Contains(accepted, id) {
				return fmt.Errorf("%s %s: %s is under %s, which the list of accepted licences does not have", m.Path, m.Version, name, id)
			}
			recognised = true
		}
		fmt.Fprintf(&texts, "\n%s\n", bytes.TrimSpace(text))
	}
	if !recognised {
		return fmt.Errorf("%s %s: no known licence in %v: read the module's licence before it is used", m.Path, m.Version, files)
	}
	_, err = fmt.Fprintf(out, "\n%s\n%s %s\n%s", strings.Repeat("=", 80), m.Path, m.Version, texts.Bytes())
	return err
}

// licenceFiles lists the licence and notice files at the root of a module.
func licenceFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		upper := strings.ToUpper(e.Name())
		for _, prefix := range []string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT"} {
			if !e.IsDir() && strings.HasPrefix(upper, prefix) && !strings.HasSuffix(upper, ".GO") {
				names = append(names, e.Name())
				break
			}
		}
	}
	return names, nil
}
