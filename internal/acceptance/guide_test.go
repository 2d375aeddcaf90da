package acceptance

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/release"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// guide is a guide of the documentation, whose files and commands a test uses as they are
// written, one after the other, in one directory.
type guide struct {
	*workspace
	blocks []guideBlock
	// root is the directory in which the first command runs. The commands share one
	// shell environment.
	root, variables string
}

// guideBlock is a fenced block of a guide.
type guideBlock struct {
	// language is shell for commands, text for what the commands before it print, or that
	// of a file.
	language, text string
	// left is the reason that a comment before the block gives for not running it.
	left string
}

var (
	fencedBlock = regexp.MustCompile("(?s)(?:<!-- not run: ([^\n]*) -->\n)?```([a-z]+)\n(.*?)\n?```\n")
	// namedFile matches the comment with the name of the file, at the beginning of a block.
	namedFile = regexp.MustCompile(`^# ([a-zA-Z0-9_./-]+\.[a-z]+)\n`)
	// documentedHost is the workspace of all guides, in an argument of HCL.
	documentedHost = regexp.MustCompile(`(?m)^(\s*)host( *)= "dbc-a1b2c3d4-e5f6\.cloud\.databricks\.com"`)
)

// openGuide reads a guide. Its workspace is the sandbox.
func openGuide(t *testing.T, s *sandboxtest.Sandbox, name string) *guide {
	t.Helper()
	only(t, "the guides start what they need themselves", embedded)
	text, err := os.ReadFile(filepath.Join("..", "..", "templates", "guides", name))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorkspace(t, s, "")
	g := &guide{workspace: w, root: filepath.Join(w.dir, "guide"), variables: filepath.Join(w.dir, "variables.sh")}
	for _, m := range fencedBlock.FindAllStringSubmatch(string(text), -1) {
		g.blocks = append(g.blocks, guideBlock{left: m[1], language: m[2], text: g.reachable(m[3])})
	}
	if err := os.MkdirAll(g.root, 0o700); err != nil {
		t.Fatal(err)
	}
	g.install(t, "0.0.1")
	for name := range w.env {
		if strings.HasPrefix(name, "TF_VAR_") || name == "TF_DATA_DIR" {
			delete(w.env, name)
		}
	}
	for k, v := range map[string]string{
		"LYTICS_DATABRICKS_TOKEN": s.Token, "HOME": filepath.Join(w.dir, "home"), "PATH": filepath.Join(w.dir, "bin") + ":" + os.Getenv("PATH"),
		"TF_INPUT": "0", "TF_CLI_ARGS": "-no-color", "TF_CLI_ARGS_apply": "-auto-approve", "TF_CLI_ARGS_destroy": "-auto-approve",
	} {
		w.env[k] = v
	}
	return g
}

// reachable puts the sandbox into the place of the documented workspace.
func (g *guide) reachable(text string) string {
	s := g.sandbox
	text = documentedHost.ReplaceAllString(text, fmt.Sprintf("${1}host${2}= %q\n${1}port = %d", s.Host, s.Port))
	return strings.ReplaceAll(text, "/sql/1.0/warehouses/a1b2c3d4e5f6a7b8", s.HTTPPath)
}

// install gives Terraform and the shell the provider under test as a version.
func (g *guide) install(t *testing.T, version string) {
	t.Helper()
	binary, err := providerBinary()
	if err != nil {
		t.Fatal(err)
	}
	mirror := filepath.Join(g.dir, "mirror")
	i := release.Installation{Plugins: mirror, Bin: filepath.Join(g.dir, "bin")}
	if _, err := i.Install(binary, version, runtime.GOOS, runtime.GOARCH); err != nil {
		t.Fatal(err)
	}
	g.file("terraform.rc", fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", filepath.ToSlash(mirror)))
}

// run writes the files of the guide up to the next commands, executes these, and returns
// what they print. They end with the code. A text after them is compared with it.
func (g *guide) run(code int) string {
	g.t.Helper()
	for len(g.blocks) > 0 {
		b := g.blocks[0]
		g.blocks = g.blocks[1:]
		switch {
		case b.left != "":
		case b.language == "shell":
			printed, got := g.shell(b.text)
			if got != code {
				g.t.Fatalf("the commands ended with %d, want %d:\n%s\n\n%s", got, code, b.text, printed)
			}
			if len(g.blocks) > 0 && g.blocks[0].language == "text" && g.blocks[0].left == "" {
				wantPrinted(g.t, printed, g.blocks[0].text)
				g.blocks = g.blocks[1:]
			}
			return printed
		default:
			if m := namedFile.FindStringSubmatch(b.text); m != nil {
				g.write(m[1], strings.TrimPrefix(b.text, m[0])+"\n")
			}
		}
	}
	g.t.Fatal("the guide has no further commands")
	return ""
}

// end checks that the test has executed all commands.
func (g *guide) end() {
	g.t.Helper()
	for _, b := range g.blocks {
		if b.language == "shell" && b.left == "" {
			g.t.Errorf("the test does not execute\n%s", b.text)
		}
	}
}

func (g *guide) write(name, text string) {
	g.t.Helper()
	file := filepath.Join(g.root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

// shell executes commands with the variables and the directory that the commands before
// them left.
func (g *guide) shell(commands string) (string, int) {
	g.t.Helper()
	ctx, cancel := beforeTimeout(g.t.Context(), g.t)
	defer cancel()
	before := ""
	if _, err := os.Stat(g.variables); err == nil {
		before = fmt.Sprintf(". '%s'\ncd \"$PWD\"\n", g.variables)
	}
	cmd := exec.CommandContext(ctx, "sh", "-ec", before+commands+fmt.Sprintf("\nexport -p > '%s'\n", g.variables))
	cmd.Dir = g.root
	cmd.Env = append(g.providerEnv(), "PWD="+g.root)
	cmd.WaitDelay = 30 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return out.String(), exit.ExitCode()
	}
	if err != nil {
		g.t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String(), 0
}

// set sets a variable of the guide's shell, as a secret of a CI job is set.
func (g *guide) set(name, value string) {
	g.t.Helper()
	if text, code := g.shell(fmt.Sprintf("export %s='%s'", name, value)); code != 0 {
		g.t.Fatal(text)
	}
}

// wantPrinted asserts that the lines of want were printed, in their order. "..." stands
// for what changes from one time to the next.
func wantPrinted(t *testing.T, printed, want string) {
	t.Helper()
	rest := flatten(printed)
	for line := range strings.Lines(want) {
		for part := range strings.SplitSeq(line, "...") {
			part = flatten(part)
			if part == "" {
				continue
			}
			_, after, found := strings.Cut(rest, part)
			if !found {
				t.Errorf("the commands did not print %q:\n%s", part, printed)
				return
			}
			rest = after
		}
	}
}

// emptyPlan asserts that a directory of the guide has nothing to change.
func (g *guide) emptyPlan(dir string) {
	g.t.Helper()
	if text, code := g.shell("terraform -chdir='" + filepath.Join(g.root, dir) + "' plan -detailed-exitcode"); code != 0 {
		g.t.Errorf("the plan of %q gave %d, want 0:\n%s", dir, code, text)
	}
}
