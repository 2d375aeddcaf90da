package release

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Installation is where a build is installed on this machine.
type Installation struct {
	// Plugins is a directory in which "terraform init" looks for packages before it asks a
	// registry.
	Plugins string
	// Bin is the directory of the command line; empty to install none.
	Bin string
}

// DefaultPlugins is the directory of the user's plugins, which Terraform and OpenTofu
// search without any configuration.
func DefaultPlugins(goos, home, appData string) string {
	if goos == "windows" {
		return filepath.Join(appData, "terraform.d", "plugins")
	}
	return filepath.Join(home, ".terraform.d", "plugins")
}

// Install copies a binary to its places, and returns them.
func (i Installation) Install(binary, version, goos, goarch string) ([]string, error) {
	if !versionForm.MatchString(version) || version == "0.0.0" {
		return nil, fmt.Errorf("%q is no version that Terraform can install: give one such as 1.2.3", version)
	}
	exe := ""
	if goos == "windows" {
		exe = ".exe"
	}
	var places []string
	for _, host := range hosts {
		places = append(places, filepath.Join(i.Plugins, host, namespace, name, version, goos+"_"+goarch, project+"_v"+version+exe))
	}
	if i.Bin != "" {
		places = append(places, filepath.Join(i.Bin, project+exe))
	}
	for _, p := range places {
		if err := place(binary, p, 0o755); err != nil {
			return nil, fmt.Errorf("installing the provider: %w", err)
		}
	}
	return places, nil
}

// Others are the other versions that are installed. Terraform takes the highest one that a
// configuration allows, which may be one of them.
func (i Installation) Others(version string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(i.Plugins, hosts[0], namespace, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var others []string
	for _, e := range entries {
		if e.Name() != version && versionForm.MatchString(e.Name()) {
			others = append(others, e.Name())
		}
	}
	return others, nil
}

// Remove removes all installed versions, and returns the removed files and directories.
func (i Installation) Remove() ([]string, error) {
	var candidates []string
	for _, host := range hosts {
		candidates = append(candidates, filepath.Join(i.Plugins, host, namespace, name))
	}
	if i.Bin != "" {
		candidates = append(candidates, filepath.Join(i.Bin, project), filepath.Join(i.Bin, project+".exe"))
	}
	var removed []string
	for _, c := range candidates {
		if _, err := os.Lstat(c); errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err := os.RemoveAll(c); err != nil {
			return removed, err
		}
		removed = append(removed, c)
	}
	return removed, nil
}
