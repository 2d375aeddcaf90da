package staging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// VolumeConfig is the configuration of a volume in Unity Catalog.
type VolumeConfig struct {
	Catalog, Schema, Volume string
	// Prefix is a directory of the volume; empty means its root.
	Prefix string
}

// Volume keeps files in a Unity Catalog volume, managed or external, on any cloud. It needs
// no bucket, and COPY INTO reads its files without a credential. It is safe for concurrent
// use.
type Volume struct {
	root string
	// attribute is the one that configures the volume, for errors.
	attribute string
	files     *databricks.Files
	parts     freeParts
}

// OpenVolume opens the volume of exports, and checks that it can be written to. The caller
// closes it.
func OpenVolume(ctx context.Context, cfg VolumeConfig, workspace databricks.Config) (*Volume, error) {
	return openVolume(ctx, cfg, workspace, "staging.volume", "exports")
}

// OpenEventVolume opens the volume in which a fleet keeps its events.
func OpenEventVolume(ctx context.Context, cfg VolumeConfig, workspace databricks.Config) (*Volume, error) {
	return openVolume(ctx, cfg, workspace, "events.volume", "segments")
}

// openVolume creates the directory below which all files are, which checks the access.
func openVolume(ctx context.Context, cfg VolumeConfig, workspace databricks.Config, attribute, directory string) (*Volume, error) {
	for _, part := range []string{cfg.Catalog, cfg.Schema, cfg.Volume} {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "/\x00") {
			return nil, jobs.Invalid(attribute, "The volume cannot be used",
				"Catalog, schema and volume must not be empty or contain a slash.", "Set all three.")
		}
	}
	for part := range strings.SplitSeq(cfg.Prefix, "/") {
		if part == "." || part == ".." || strings.Contains(part, "\x00") {
			return nil, jobs.Invalid(attribute+".prefix", "The prefix in the volume cannot be used",
				fmt.Sprintf("%q may lead out of the volume.", cfg.Prefix), "Name a directory inside the volume, without . and ..")
		}
	}
	files, err := databricks.NewFiles(workspace, attribute)
	if err != nil {
		return nil, err
	}
	v := &Volume{
		root: "/Volumes/" + cfg.Catalog + "/" + cfg.Schema + "/" + cfg.Volume, attribute: attribute, files: files,
		parts: make(freeParts, keptParts),
	}
	if prefix := strings.Trim(cfg.Prefix, "/"); prefix != "" {
		v.root += "/" + prefix
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	// A listing would not show whether the volume exists, because the listing of a
	// missing volume is empty.
	if err := files.MakeDirectory(ctx, v.root+"/"+directory); err != nil {
		files.Close()
		return nil, invalid(err)
	}
	return v, nil
}

// invalid turns CodeNotFound into CodeInvalid. A missing volume is a mistake in the
// definition, and CodeNotFound would remove the resource from Terraform's state.
func invalid(err error) error {
	if e, ok := errors.AsType[*jobs.Error](err); ok && e.Code == jobs.CodeNotFound {
		e.Code, e.Summary = jobs.CodeInvalid, "The volume was not found, or this user may not see it"
		if e.Attribute == "staging.volume" {
			e.Summary = "The staging volume was not found, or this user may not see it"
		}
	}
	return err
}

// Close closes idle connections.
func (v *Volume) Close() { v.files.Close() }

// URL is the path of a file, or with a trailing slash of a directory, for COPY INTO.
func (v *Volume) URL(key string) string { return v.root + "/" + key }

// CopyCredential is empty, because COPY INTO reads a volume with the permissions of the
// session.
func (v *Volume) CopyCredential(context.Context, string, time.Duration) (CopyCredential, error) {
	return CopyCredential{}, nil
}

// Create begins a file that is uploaded by Close. Until then a spool keeps it. ctx is the
// context of writing and upload. The caller must call Close or Abort.
func (v *Volume) Create(ctx context.Context, key string) (*Writer, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	path := v.URL(key)
	return newWriter(ctx, func(ctx context.Context, body io.Reader) error {
		content := newSpool(v.parts)
		defer content.close()
		if _, err := io.Copy(content, body); err != nil {
			return err
		}
		return invalid(v.files.Write(ctx, path, content, content.size))
	}), nil
}

// Read returns the content of a small file. The error is CodeNotFound if the file does not
// exist.
func (v *Volume) Read(ctx context.Context, key string) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	return v.files.Read(ctx, v.URL(key))
}

// ReadAt reads from a file like io.ReaderAt. The error for a file that does not exist
// wraps fs.ErrNotExist.
func (v *Volume) ReadAt(ctx context.Context, key string, p []byte, offset int64) (int, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	n, err := v.files.ReadAt(ctx, v.URL(key), p, offset)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		err = fmt.Errorf("%s does not exist: %w", v.URL(key), fs.ErrNotExist)
	}
	return n, err
}

// Remove removes one file if it exists.
func (v *Volume) Remove(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return v.files.Remove(ctx, v.URL(key))
}

// List returns the files under a prefix, ordered by key.
func (v *Volume) List(ctx context.Context, prefix string) ([]Object, error) {
	if err := checkKey(prefix); err != nil {
		return nil, err
	}
	var out []Object
	err := v.walk(ctx, v.URL(strings.TrimSuffix(prefix, "/")), maxDepth, func(f databricks.FileInfo) error {
		if !f.Directory {
			out = append(out, Object{Key: strings.TrimPrefix(f.Path, v.root+"/"), Size: f.Size})
		}
		return nil
	})
	slices.SortFunc(out, func(a, b Object) int { return strings.Compare(a.Key, b.Key) })
	return out, err
}

// RemovePrefix removes a directory and its contents, if it exists.
func (v *Volume) RemovePrefix(ctx context.Context, prefix string) error {
	if err := checkKey(prefix); err != nil {
		return err
	}
	directory := v.URL(strings.TrimSuffix(prefix, "/"))
	err := v.walk(ctx, directory, maxDepth, func(f databricks.FileInfo) error {
		if f.Directory {
			return v.files.RemoveDirectory(ctx, f.Path)
		}
		return v.files.Remove(ctx, f.Path)
	})
	if err != nil {
		return err
	}
	return v.files.RemoveDirectory(ctx, directory)
}

// maxDepth limits how deep directories are nested in a prefix. An export has one or two
// levels; a listing whose directories contain each other has no end.
const maxDepth = 16

// walk visits all files and directories in a directory, each directory after its contents.
func (v *Volume) walk(ctx context.Context, directory string, depth int, visit func(databricks.FileInfo) error) error {
	entries, err := v.files.List(ctx, directory)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Path, directory+"/") || depth == 0 {
			return &jobs.Error{
				Code: jobs.CodeFailed, Attribute: v.attribute, Summary: "The volume cannot be listed",
				Detail: fmt.Sprintf("The listing of %s has an entry that is not in it, or that is nested more than %d deep.", directory, maxDepth),
				Next:   "Look at the directory in the workspace, and remove what is not of an export.",
			}
		}
		if e.Directory {
			if err := v.walk(ctx, e.Path, depth-1, visit); err != nil {
				return err
			}
		}
		if err := visit(e); err != nil {
			return err
		}
	}
	return nil
}
