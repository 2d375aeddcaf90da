// Command install installs a built provider where "terraform init" finds it, and the
// command line. It is the last step of "make install".
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/release"
)

const example = `
A configuration names it by its source:

  terraform {
    required_providers {
      lytics = { source = "terraform-provider-lytics/lytics" }
    }
  }

"terraform init" takes it from there and asks no registry, until "make uninstall".
If ~/.terraformrc or the file of TF_CLI_CONFIG_FILE has a provider_installation block,
Terraform looks only where that block says: add the directory of plugins to it, as
filesystem_mirror { path = "..." }.
A directory that is initialised already needs "terraform init -upgrade".
`

func main() {
	binary := flag.String("binary", "", "the built provider")
	version := flag.String("version", "", "its version")
	plugins := flag.String("plugins", "", "directory of the user's plugins; empty for that of this system")
	bin := flag.String("bin", "", "directory of the command line; empty for ~/.local/bin")
	remove := flag.Bool("remove", false, "remove what was installed")
	flag.Parse()
	if err := run(*binary, *version, *plugins, *bin, *remove); err != nil {
		fmt.Fprintln(os.Stderr, "install:", err)
		os.Exit(1)
	}
}

func run(binary, version, plugins, bin string, remove bool) error {
	home, err := os.UserHomeDir()
	if err != nil && (plugins == "" || bin == "") {
		return err
	}
	if plugins == "" {
		plugins = release.DefaultPlugins(runtime.GOOS, home, os.Getenv("APPDATA"))
	}
	if bin == "" {
		bin = filepath.Join(home, ".local", "bin")
	}
	i := release.Installation{Plugins: plugins, Bin: bin}
	if remove {
		removed, err := i.Remove()
		list("removed", removed)
		return err
	}
	installed, err := i.Install(binary, version, runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return err
	}
	list("installed version "+version, installed)
	fmt.Print(example)
	others, err := i.Others(version)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		fmt.Printf("\nOther versions are installed, too: %s. Terraform takes the highest one that a configuration\n"+
			"allows; \"make uninstall\" removes all of them.\n", strings.Join(others, ", "))
	}
	if !slices.Contains(filepath.SplitList(os.Getenv("PATH")), bin) {
		fmt.Printf("\n%s is not in PATH: the command line is there.\n", bin)
	}
	return nil
}

func list(what string, places []string) {
	fmt.Println(what)
	for _, p := range places {
		fmt.Println("  " + p)
	}
}
