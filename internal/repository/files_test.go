package repository

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// readFile returns the content of a file of the repository.
func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// readYAML decodes a file of one document.
func readYAML(t *testing.T, name string, v any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(readFile(t, name)), v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

var (
	makeTarget = regexp.MustCompile(`(?m)^([a-z-]+):.*## `)
	madeTarget = regexp.MustCompile(`\bmake ([a-z][a-z-]*)\b`)
	pinned     = regexp.MustCompile(`^\s*(?:- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
)

// makeTargets are the documented targets of the makefile.
func makeTargets(t *testing.T) map[string]bool {
	t.Helper()
	targets := map[string]bool{}
	for _, m := range makeTarget.FindAllStringSubmatch(readFile(t, "GNUmakefile"), -1) {
		targets[m[1]] = true
	}
	if len(targets) < 20 {
		t.Fatalf("got %d targets of the makefile, want at least 20", len(targets))
	}
	return targets
}

// A workflow has no right that a job does not ask for, no action that others can change,
// no job without an end, and no target that the makefile does not have.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	targets := makeTargets(t)
	files, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("got the workflows %q, %v; want at least three", files, err)
	}
	for _, file := range files {
		text := readFile(t, file)
		for line := range strings.Lines(text) {
			if line = strings.TrimRight(line, "\n"); strings.Contains(line, "uses:") && !pinned.MatchString(line) {
				t.Errorf("%s: got %q, want an action pinned by its commit, with its version in a comment", file, line)
			}
		}
		var workflow struct {
			Permissions map[string]string `yaml:"permissions"`
			Jobs        map[string]struct {
				Timeout  int `yaml:"timeout-minutes"`
				Strategy struct {
					Matrix struct {
						Target []string `yaml:"target"`
					} `yaml:"matrix"`
				} `yaml:"strategy"`
			} `yaml:"jobs"`
		}
		readYAML(t, file, &workflow)
		if !strings.Contains(text, "\npermissions: {}\n") || len(workflow.Permissions) > 0 {
			t.Errorf("%s: got the permissions %v for all jobs, want none", file, workflow.Permissions)
		}
		var made []string
		for _, m := range madeTarget.FindAllStringSubmatch(text, -1) {
			made = append(made, m[1])
		}
		for name, job := range workflow.Jobs {
			if job.Timeout == 0 {
				t.Errorf("%s: the job %s has no timeout-minutes", file, name)
			}
			made = append(made, job.Strategy.Matrix.Target...)
		}
		for _, target := range made {
			if !targets[target] {
				t.Errorf("%s: the makefile has no target %s", file, target)
			}
		}
	}
}

// The hooks call targets of the makefile that exist.
func TestHooksOfPreCommit(t *testing.T) {
	t.Parallel()
	targets := makeTargets(t)
	var config struct {
		Repos []struct {
			Hooks []struct {
				ID    string `yaml:"id"`
				Entry string `yaml:"entry"`
			} `yaml:"hooks"`
		} `yaml:"repos"`
	}
	readYAML(t, ".pre-commit-config.yaml", &config)
	made := 0
	for _, repo := range config.Repos {
		for _, hook := range repo.Hooks {
			for _, m := range madeTarget.FindAllStringSubmatch(hook.Entry, -1) {
				if made++; !targets[m[1]] {
					t.Errorf("the hook %s: the makefile has no target %s", hook.ID, m[1])
				}
			}
		}
	}
	if made < 3 {
		t.Errorf("got %d hooks with a target of the makefile, want lint, lint-files and generate", made)
	}
}

// Renovate finds the versions that the makefile and other files pin, and the files that
// name the same version agree.
func TestPinnedVersions(t *testing.T) {
	t.Parallel()
	var config struct {
		Managers []struct {
			Files   []string `json:"managerFilePatterns"`
			Strings []string `json:"matchStrings"`
			Name    string   `json:"depNameTemplate"`
		} `json:"customManagers"`
	}
	if err := json.Unmarshal([]byte(readFile(t, "renovate.json")), &config); err != nil {
		t.Fatal(err)
	}
	versions := map[string][]string{}
	for _, m := range config.Managers {
		file := strings.ReplaceAll(strings.Trim(m.Files[0], "/^$"), `\`, "")
		pattern, err := regexp.Compile(m.Strings[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range pattern.FindAllStringSubmatch(readFile(t, file), -1) {
			name := m.Name
			if i := pattern.SubexpIndex("depName"); i > 0 {
				name = found[i]
			}
			versions[name] = append(versions[name], found[pattern.SubexpIndex("currentValue")])
		}
	}
	if declared := strings.Count(readFile(t, "GNUmakefile"), "_VERSION "); len(versions) < 6 || len(versions) > declared {
		t.Errorf("got the versions of %v, want those of six tools", versions)
	}
	for name, want := range map[string]int{"github.com/goreleaser/goreleaser/v2": 2, "github.com/CycloneDX/cyclonedx-gomod": 2} {
		if got := versions[name]; len(got) != want || got[0] != got[len(got)-1] {
			t.Errorf("%s: got the versions %q in %d files, want the same one in %d", name, got, len(got), want)
		}
	}
}

// Every path that has owners exists.
func TestCodeOwners(t *testing.T) {
	t.Parallel()
	owned := 0
	for line := range strings.Lines(readFile(t, ".github/CODEOWNERS")) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		owned++
		if len(fields) < 2 || !strings.HasPrefix(fields[1], "@") {
			t.Errorf("got %q, want a path and its owners", line)
		}
		if fields[0] == "*" {
			continue
		}
		if _, err := os.Stat(strings.TrimPrefix(fields[0], "/")); err != nil {
			t.Errorf("CODEOWNERS: %v", err)
		}
	}
	if owned < 5 {
		t.Errorf("got %d lines with owners, want at least 5", owned)
	}
}
