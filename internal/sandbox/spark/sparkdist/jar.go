package sparkdist

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Jar is a released jar, by its Maven coordinates.
type Jar struct {
	Organisation, Name, Version string
	// SHA256 is the digest of its content, in hexadecimal.
	SHA256 string
}

// Fetch downloads a jar from Maven Central into a directory, and returns its path. Spark
// includes Ivy, which does it, so the installation needs Spark but not Delta.
func (i Installation) Fetch(ctx context.Context, java string, j Jar, dir string) (string, error) {
	spark, err := i.SparkJars()
	if err != nil {
		return "", err
	}
	ivy, err := filepath.Glob(filepath.Join(spark, "ivy-*.jar"))
	if err != nil || len(ivy) != 1 {
		return "", errors.Join(fmt.Errorf("found %d jars of Ivy in %s, want one, to download %s with", len(ivy), spark, j.Name), err)
	}
	cache, err := os.MkdirTemp("", "ivy-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(cache) }()
	cmd := exec.CommandContext(ctx, java, "-jar", ivy[0], "-warn", "-cache", cache, "-dependency", j.Organisation, j.Name, j.Version,
		"-notransitive", "-types", "jar", "-retrieve", filepath.Join(dir, "[artifact]-[revision].[ext]")) // #nosec G204 -- constants of the callers
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("fetch %s %s from Maven Central: %w\n%s", j.Name, j.Version, err, out)
	}
	path := filepath.Join(dir, j.Name+"-"+j.Version+".jar")
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("Ivy succeeded but downloaded no jar: %w", err)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(content)); got != j.SHA256 {
		return "", fmt.Errorf("%s has the SHA-256 %s, not %s: it is not the released %s %s", path, got, j.SHA256, j.Name, j.Version)
	}
	return path, nil
}
