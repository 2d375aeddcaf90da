// Command layouts makes a network mirror and a registry, both of static files, of the
// archives that goreleaser made. A directory with earlier releases keeps them.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/release"
)

func main() {
	dist := flag.String("dist", "dist", "directory with the archives, the checksums and their signature")
	mirror := flag.String("mirror", "", "directory of the network mirror")
	registry := flag.String("registry", "", "directory of the registry")
	key := flag.String("public-key", "", "file with the armored public key that signed the checksums; the registry needs it")
	base := flag.String("base-url", "", "where the registry's archives are downloaded from; empty to copy them into the registry")
	flag.Parse()
	if err := write(*dist, *mirror, *registry, *key, *base); err != nil {
		fmt.Fprintln(os.Stderr, "layouts:", err)
		os.Exit(1)
	}
}

func write(dist, mirror, registry, keyFile, base string) error {
	if mirror == "" && registry == "" {
		return errors.New("give -mirror DIR, -registry DIR, or both")
	}
	r, err := release.Open(dist)
	if err != nil {
		return err
	}
	if mirror != "" {
		if err := r.WriteMirror(mirror); err != nil {
			return err
		}
	}
	if registry == "" {
		return nil
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return fmt.Errorf("-public-key: %w", err)
	}
	return r.WriteRegistry(registry, key, base)
}
