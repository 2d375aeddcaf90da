package release

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
)

// These are documents of the provider registry protocol.
type registryVersions struct {
	Versions []registryVersion `json:"versions"`
}

type registryVersion struct {
	Version   string             `json:"version"`
	Protocols []string           `json:"protocols"`
	Platforms []registryPlatform `json:"platforms"`
}

type registryPlatform struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
}

type registryPackage struct {
	Protocols    []string `json:"protocols"`
	OS           string   `json:"os"`
	Arch         string   `json:"arch"`
	Filename     string   `json:"filename"`
	DownloadURL  string   `json:"download_url"`
	SumsURL      string   `json:"shasums_url"`
	SignatureURL string   `json:"shasums_signature_url"`
	Sum          string   `json:"shasum"`
	SigningKeys  struct {
		Keys []registryKey `json:"gpg_public_keys"`
	} `json:"signing_keys"`
}

type registryKey struct {
	ID    string `json:"key_id"`
	Armor string `json:"ascii_armor"`
}

// WriteRegistry adds the release to a registry in dir: static files for the root of an
// HTTPS server. publicKey is the armored key that signed the checksums. The archives are
// downloaded from base, such as the address of the release on GitHub; if it is empty, they
// are copied into the registry.
func (r Release) WriteRegistry(dir string, publicKey []byte, base string) error {
	key, err := r.signedBy(publicKey)
	if err != nil {
		return err
	}
	provider := filepath.Join(dir, "v1", "providers", namespace, name)
	version := registryVersion{Version: r.Version, Protocols: []string{protocol}}
	files := base
	if files == "" {
		files = "../.." // of the document download/OS/ARCH
		if err := r.copyTo(filepath.Join(provider, r.Version), append(r.archiveFiles(), r.sums(), r.sums()+".sig")...); err != nil {
			return err
		}
	}
	at := func(file string) string {
		if base == "" {
			return path.Join(files, file)
		}
		return strings.TrimSuffix(files, "/") + "/" + file
	}
	for _, a := range r.Archives {
		version.Platforms = append(version.Platforms, registryPlatform{OS: a.OS, Arch: a.Arch})
		p := registryPackage{
			Protocols: version.Protocols, OS: a.OS, Arch: a.Arch, Filename: a.File, Sum: a.SHA256,
			DownloadURL: at(a.File), SumsURL: at(r.sums()), SignatureURL: at(r.sums() + ".sig"),
		}
		p.SigningKeys.Keys = []registryKey{key}
		if err := writeJSON(filepath.Join(provider, r.Version, "download", a.OS, a.Arch), p); err != nil {
			return err
		}
	}
	var all registryVersions
	list := filepath.Join(provider, "versions")
	if err := readJSON(list, &all); err != nil {
		return err
	}
	all.Versions = slices.DeleteFunc(all.Versions, func(v registryVersion) bool { return v.Version == r.Version })
	all.Versions = append(all.Versions, version)
	if err := writeJSON(list, all); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, ".well-known", "terraform.json"), map[string]string{"providers.v1": "/v1/providers/"})
}

// signedBy checks the signature of the checksums, and returns the key as the registry
// describes it.
func (r Release) signedBy(publicKey []byte) (registryKey, error) {
	ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(publicKey))
	if err != nil {
		return registryKey{}, fmt.Errorf("the public key is no armored OpenPGP key (gpg --armor --export): %w", err)
	}
	sums, err := os.ReadFile(filepath.Join(r.dir, r.sums()))
	if err != nil {
		return registryKey{}, err
	}
	signature, err := os.ReadFile(filepath.Join(r.dir, r.sums()+".sig"))
	if err != nil {
		return registryKey{}, fmt.Errorf("a registry needs a signed release: %w", err)
	}
	signer, err := openpgp.CheckDetachedSignature(ring, bytes.NewReader(sums), bytes.NewReader(signature), nil)
	if err != nil {
		return registryKey{}, fmt.Errorf("the signature of %s is not by this public key: %w", r.sums(), err)
	}
	return registryKey{ID: signer.PrimaryKey.KeyIdString(), Armor: string(publicKey)}, nil
}
