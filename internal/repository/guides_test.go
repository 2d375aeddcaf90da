package repository

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// quotedMessage matches a message in the first column of the tables of the guide.
var quotedMessage = regexp.MustCompile("`([^`]+)`")

// literals are all texts of the code, with a blank for what is formatted into them.
func literals(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	verb := regexp.MustCompile(`%\[?\d*\]?[a-z]`)
	err := filepath.WalkDir("internal", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "sandbox" || entry.Name() == "jobstest" || entry.Name() == "lyticstest") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if s, err := strconv.Unquote(l.Value); err == nil {
					all.WriteString(verb.ReplaceAllString(s, "\x00") + "\n")
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// Every message of the guide to troubleshooting is one of the code. The parts of a message
// between "..." are looked for one by one.
func TestTroubleshootingHasMessagesOfTheCode(t *testing.T) {
	t.Parallel()
	guide := readFile(t, "templates/guides/troubleshooting.md")
	guide, _, _ = strings.Cut(guide, "\n## Terraform\n") // the messages there are those of Terraform
	code := literals(t)
	found := 0
	for line := range strings.Lines(guide) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[1], "`") {
			continue
		}
		for _, m := range quotedMessage.FindAllStringSubmatch(cells[1], -1) {
			found++
			for part := range strings.SplitSeq(m[1], "...") {
				if part = strings.TrimSpace(part); part != "" && !strings.Contains(code, part) {
					t.Errorf("the guide has the message %q, and the code has no %q", m[1], part)
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("got %d messages in the guide, want at least 30", found)
	}
}

var (
	fencedText   = regexp.MustCompile("(?s)```.*?```")
	subcategory  = regexp.MustCompile(`(?m)^subcategory: "(.*)"$`)
	relativeLink = regexp.MustCompile(`\]\(([^):#]*)(#[^)]*)?\)`)
	heading      = regexp.MustCompile(`(?m)^#+ (.*)$`)
	anchorTag    = regexp.MustCompile(`<a id="([^"]+)">`)
)

// anchors are the anchors of a page: its headings, as the registry makes them, and tags.
func anchors(page string) map[string]bool {
	all := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		title := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all[strings.ReplaceAll(title, " ", "-")] = true
	}
	for _, m := range anchorTag.FindAllStringSubmatch(page, -1) {
		all[m[1]] = true
	}
	return all
}

// Each page of the documentation is in a group of the registry's menu, each page of a type
// links to what is related to it, and each link to another page finds it, with the heading.
func TestPagesHaveAGroupAndLinksThatExist(t *testing.T) {
	t.Parallel()
	links := 0
	err := filepath.WalkDir("docs", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".md") {
			return err
		}
		page := readFile(t, path)
		m := subcategory.FindStringSubmatch(page)
		if filepath.Dir(path) != "docs" && (m == nil || m[1] == "") {
			t.Errorf("%s has no subcategory", path)
		}
		if kind := filepath.Base(filepath.Dir(path)); kind != "docs" && kind != "guides" && !strings.Contains(page, "](../") {
			t.Errorf("%s has no link to what is related to it", path)
		}
		for _, m := range relativeLink.FindAllStringSubmatch(fencedText.ReplaceAllString(page, ""), -1) {
			target := path
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(path), filepath.FromSlash(m[1]))
				if filepath.Ext(target) == "" {
					target += ".md"
				}
			}
			links++
			text, err := os.ReadFile(target)
			if err != nil {
				t.Errorf("%s links to %s: %v", path, m[0], err)
				continue
			}
			if m[2] != "" && !anchors(string(text))[strings.TrimPrefix(m[2], "#")] {
				t.Errorf("%s links to %s, and %s has no such heading", path, m[0], target)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if links < 100 {
		t.Errorf("got %d links in the documentation, want at least 100", links)
	}
}
