package release

import (
	"path"
	"path/filepath"
)

// mirrorIndex and mirrorVersion are documents of the provider network mirror protocol.
type mirrorIndex struct {
	Versions map[string]struct{} `json:"versions"`
}

type mirrorVersion struct {
	Archives map[string]mirrorArchive `json:"archives"`
}

type mirrorArchive struct {
	URL    string   `json:"url"`
	Hashes []string `json:"hashes"`
}

// WriteMirror adds the release to a network mirror in dir: static files that any HTTPS
// server can serve. For Terraform the directory is a filesystem mirror too.
func (r Release) WriteMirror(dir string) error {
	archivesAt := path.Join(hosts[0], namespace, name)
	for _, host := range hosts {
		folder := filepath.Join(dir, host, namespace, name)
		version := mirrorVersion{Archives: map[string]mirrorArchive{}}
		for _, a := range r.Archives {
			url := a.File
			if host != hosts[0] {
				url = path.Join("../../..", archivesAt, a.File) // the archives are there once
			}
			version.Archives[a.OS+"_"+a.Arch] = mirrorArchive{URL: url, Hashes: []string{"zh:" + a.SHA256}}
		}
		index := mirrorIndex{Versions: map[string]struct{}{}}
		indexFile := filepath.Join(folder, "index.json")
		if err := readJSON(indexFile, &index); err != nil {
			return err
		}
		index.Versions[r.Version] = struct{}{}
		if err := writeJSON(filepath.Join(folder, r.Version+".json"), version); err != nil {
			return err
		}
		if err := writeJSON(indexFile, index); err != nil {
			return err
		}
	}
	return r.copyTo(filepath.Join(dir, filepath.FromSlash(archivesAt)), r.archiveFiles()...)
}
