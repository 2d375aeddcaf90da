package release

import (
	"fmt"
	"strings"
)

// Notes returns the section of the changelog for a version: the text below the heading
// "## VERSION", or "## VERSION (DATE)".
func Notes(changelog, version string) (string, error) {
	version = strings.TrimPrefix(version, "v")
	if !versionForm.MatchString(version) {
		return "", fmt.Errorf("%q is no semantic version: tags are v1.2.3, or v1.2.3-rc.1", version)
	}
	var notes strings.Builder
	found := false
	for line := range strings.Lines(changelog) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			if found {
				break
			}
			title, _, _ := strings.Cut(strings.TrimSpace(heading), " ")
			found = title == version
			continue
		}
		if found {
			notes.WriteString(line)
		}
	}
	text := strings.TrimSpace(notes.String())
	if text == "" {
		return "", fmt.Errorf("CHANGELOG.md has no text under a heading \"## %s\": rename \"Unreleased\" before the tag", version)
	}
	return text + "\n", nil
}
