// Package volumes holds the sandbox's Unity Catalog volumes: the Files API for
// clients, and the same files for COPY INTO.
package volumes

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
)

// Store keeps the files of volumes in a directory.
type Store struct {
	root    *os.Root
	volumes []string
	faults  *fault.Set
}

// Open creates the volumes, named catalog.schema.volume, in dir.
func Open(dir string, volumes []string, faults *fault.Set) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the directory of volumes: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the directory of volumes: %w", err)
	}
	s := &Store{root: root, faults: faults}
	for _, v := range volumes {
		if strings.Count(v, ".") != 2 || strings.Contains(v, "/") || strings.Contains(v, "..") {
			return nil, errors.Join(fmt.Errorf("a volume is named catalog.schema.volume, not %q", v), root.Close())
		}
		name := strings.ToLower(strings.ReplaceAll(v, ".", "/"))
		s.volumes = append(s.volumes, name)
		if err := root.MkdirAll(name, 0o700); err != nil {
			return nil, errors.Join(fmt.Errorf("create volume %s: %w", v, err), root.Close())
		}
	}
	return s, nil
}

// Close releases the directory.
func (s *Store) Close() error { return s.root.Close() }

// Prefix is the beginning of every path in a volume.
const Prefix = "/Volumes/"

// Split splits a path into its volume ("/Volumes/c/s/v") and the key below it.
func Split(text string) (volume, key string, ok bool) {
	parts := strings.SplitN(strings.TrimPrefix(text, Prefix), "/", 4)
	if !strings.HasPrefix(text, Prefix) || len(parts) < 3 {
		return "", "", false
	}
	if len(parts) == 4 {
		key = parts[3]
	}
	return Prefix + strings.Join(parts[:3], "/"), key, true
}

// localPath returns the path of a file in the store's directory. The names of
// volumes are not case-sensitive.
func (s *Store) localPath(text string) (string, error) {
	volume, key, ok := Split(text)
	name := strings.ToLower(strings.TrimPrefix(volume, Prefix))
	if !ok || !slices.Contains(s.volumes, name) {
		return "", fmt.Errorf("volume %s: %w", text, fs.ErrNotExist)
	}
	return path.Join(name, path.Clean("/"+key)), nil
}

// List returns the files of a volume whose keys begin with prefix, by key.
func (s *Store) List(_ context.Context, volume, prefix string) ([]objectstore.Object, error) {
	base, err := s.localPath(volume)
	if err != nil {
		return nil, err
	}
	var out []objectstore.Object
	err = fs.WalkDir(s.root.FS(), base, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, uploading) {
			return err
		}
		key := strings.TrimPrefix(name, base+"/")
		if !strings.HasPrefix(key, prefix) {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		out = append(out, objectstore.Object{Key: key, Size: info.Size(), ETag: fmt.Sprint(info.ModTime().UnixNano())})
		return nil
	})
	return out, err
}

// Read opens a file of a volume.
func (s *Store) Read(_ context.Context, volume, key string) (io.ReadCloser, error) {
	name, err := s.localPath(volume + "/" + key)
	if err != nil {
		return nil, err
	}
	return s.root.Open(name)
}

// uploading is the suffix of files whose upload is not complete.
const uploading = ".uploading"

const (
	filesPath       = "/api/2.0/fs/files"
	directoriesPath = "/api/2.0/fs/directories"
)

// CallOf names a call of the Files API for the faults: PutFile, GetDirectory and so on.
func CallOf(r *http.Request) fault.Call {
	target, directory := strings.CutPrefix(r.URL.Path, directoriesPath)
	kind := "Directory"
	if !directory {
		target, kind = strings.TrimPrefix(r.URL.Path, filesPath), "File"
	}
	return fault.Call{Name: r.Method[:1] + strings.ToLower(r.Method[1:]) + kind, Text: target}
}

// ServeHTTP implements http.Handler: the Files API.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target, directory := strings.CutPrefix(r.URL.Path, directoriesPath)
	if !directory {
		target = strings.TrimPrefix(r.URL.Path, filesPath)
	}
	call := CallOf(r)
	if hit, ok := s.faults.Trigger(call, fault.S3Error); ok {
		refuse(w, hit.Status, "TEMPORARILY_UNAVAILABLE", hit.Message)
		return
	}
	if hit, ok := s.faults.Trigger(call, fault.S3Slow); ok {
		if hit.Wait(r.Context()) != nil {
			return
		}
	}
	name, err := s.localPath(target)
	if err == nil {
		switch {
		case directory && r.Method == http.MethodPut:
			err = s.root.MkdirAll(name, 0o700)
		case directory && r.Method == http.MethodGet:
			err = s.list(w, target, name, r.URL.Query().Get("page_token"))
		case directory && r.Method == http.MethodDelete:
			err = s.removeDirectory(name)
		case r.Method == http.MethodPut:
			err = s.writeFile(name, r)
		case r.Method == http.MethodGet:
			err = s.sendFile(w, r, name)
		case r.Method == http.MethodDelete:
			err = s.root.Remove(name)
		default:
			refuse(w, http.StatusMethodNotAllowed, "BAD_REQUEST", r.Method+" is not a method of the Files API")
			return
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		refuse(w, http.StatusNotFound, "NOT_FOUND", "The path "+target+" does not exist, or its volume does not.")
	case errors.Is(err, fs.ErrExist):
		refuse(w, http.StatusConflict, "ALREADY_EXISTS", "The file "+target+" exists.")
	case err != nil:
		refuse(w, http.StatusBadRequest, "BAD_REQUEST", err.Error())
	case r.Method != http.MethodGet:
		w.WriteHeader(http.StatusNoContent)
	}
}

// writeFile stores the request's body as a file, whole or not at all.
func (s *Store) writeFile(name string, r *http.Request) error {
	if _, err := s.root.Stat(name); err == nil && r.URL.Query().Get("overwrite") != "true" {
		return fs.ErrExist
	}
	// An upload that was cut may still be read here when its client sends it again.
	temporary := name + "." + rand.Text() + uploading
	f, err := s.root.OpenFile(temporary, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r.Body)
	if err = errors.Join(err, f.Close()); err == nil {
		err = s.root.Rename(temporary, name)
	}
	if err != nil {
		return errors.Join(err, s.root.Remove(temporary))
	}
	return nil
}

// sendFile sends a file, or the range of it that the request names.
func (s *Store) sendFile(w http.ResponseWriter, r *http.Request, name string) error {
	f, err := s.root.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fs.ErrNotExist
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", info.ModTime(), f)
	return nil
}

func (s *Store) removeDirectory(name string) error {
	if slices.Contains(s.volumes, filepath.ToSlash(name)) {
		return errors.New("the root of a volume cannot be removed")
	}
	if entries, err := fs.ReadDir(s.root.FS(), name); err == nil && len(entries) > 0 {
		return errors.New("the directory is not empty")
	}
	return s.root.Remove(name)
}

type entry struct {
	Path      string `json:"path"`
	Name      string `json:"name"`
	Directory bool   `json:"is_directory"`
	Size      int64  `json:"file_size,omitempty"`
	Modified  int64  `json:"last_modified,omitempty"`
}

// pageEntries is the number of entries per answer. It is small, so that clients
// have to request a second page.
const pageEntries = 100

// list sends the entries that follow the entry named after, the page token.
func (s *Store) list(w http.ResponseWriter, target, name, after string) error {
	found, err := fs.ReadDir(s.root.FS(), name)
	if err != nil {
		return err
	}
	out := struct {
		Contents []entry `json:"contents"`
		Next     string  `json:"next_page_token,omitempty"`
	}{Contents: []entry{}}
	for _, d := range found {
		if d.Name() <= after || strings.HasSuffix(d.Name(), uploading) {
			continue
		}
		if len(out.Contents) == pageEntries {
			out.Next = out.Contents[pageEntries-1].Name
			break
		}
		e := entry{Path: strings.TrimSuffix(target, "/") + "/" + d.Name(), Name: d.Name(), Directory: d.IsDir()}
		if info, err := d.Info(); err == nil && !d.IsDir() {
			e.Size, e.Modified = info.Size(), info.ModTime().UnixMilli()
		}
		out.Contents = append(out.Contents, e)
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(out)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error_code": code, "message": message})
}
