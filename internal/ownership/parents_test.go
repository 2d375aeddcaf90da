//go:build !windows

package ownership_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/ownership"
)

// tree makes directories below a temporary one, and one with the file "key" at their end.
func tree(t *testing.T, parts ...string) (dirs []string, data, key string) {
	t.Helper()
	data = t.TempDir()
	for _, part := range append(parts, "data") {
		data = filepath.Join(data, part)
		if err := os.Mkdir(data, 0o700); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, data)
	}
	key = filepath.Join(data, "key")
	if err := os.WriteFile(key, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dirs, data, key
}

// must fails the test on an error of its preparation.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantRefused checks that a directory and the key in it are refused for a path, or not
// refused if at is empty.
func wantRefused(t *testing.T, data, key, at string, texts ...string) {
	t.Helper()
	for path, check := range map[string]func(string) error{data: ownership.Directory, key: ownership.PrivateFile} {
		err := check(path)
		if at == "" {
			if err != nil {
				t.Errorf("%s: got %v, want that it is trusted", path, err)
			}
			continue
		}
		for _, text := range append(texts, at+" is not trusted", path) {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: got %v, want an error with %q", path, err, text)
			}
		}
	}
}

// checklist 78: who may write to a directory above can put another one in the place of
// the data directory or of the key, so such a path is not trusted. In a sticky directory
// nobody can do that to what is ours.
func TestModesOfParents(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode    fs.FileMode
		refused bool
	}{
		"private":              {0o700, false},
		"readable":             {0o755, false},
		"writable for all":     {0o777, true},
		"writable but no read": {0o722, true},
		"sticky":               {0o777 | fs.ModeSticky, false},
		"sticky for a group":   {0o770 | fs.ModeSticky, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dirs, data, key := tree(t, "a", "b", "c")
			must(t, os.Chmod(dirs[1], c.mode))
			want := ""
			if c.refused {
				want = dirs[1]
			}
			wantRefused(t, data, key, want, "can put another directory or file in the place", "chmod go-w")
			missing := filepath.Join(data, "none", "none")
			if err := ownership.Directory(missing); (err != nil) != c.refused {
				t.Errorf("a missing directory: got %v, want refused: %t", err, c.refused)
			}
		})
	}
}

// checklist 78: a directory above that belongs to another user is that user's to change,
// sticky or not.
func TestParentsOfAnotherUser(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for _, mode := range []fs.FileMode{0o700, 0o755, 0o777 | fs.ModeSticky} {
		dirs, data, key := tree(t, "a", "b")
		must(t, os.Chmod(dirs[0], mode))
		must(t, os.Chown(dirs[0], 4242, 4242))
		wantRefused(t, data, key, dirs[0], "user 4242", "chown 0 ")
	}
}

// checklist 78: in a sticky directory another user can make the data directory first.
func TestADirectoryThatAnotherUserPrepared(t *testing.T) {
	t.Parallel()
	needRoot(t)
	dirs, data, key := tree(t, "a", "b")
	must(t, os.Chmod(dirs[0], 0o777|fs.ModeSticky))
	must(t, os.Chown(dirs[1], 4242, 4242))
	wantRefused(t, data, key, dirs[1], "user 4242")
}

// A group with write access is trusted above the data directory if it is the user's own,
// as it is where the umask is 002, and no other user is in it.
func TestGroupsOfParents(t *testing.T) {
	t.Parallel()
	needRoot(t)
	own := "" // the group of root, which has members of its own on some systems
	passwd, err := os.ReadFile("/etc/passwd")
	must(t, err)
	for line := range strings.Lines(string(passwd)) {
		if f := strings.Split(line, ":"); len(f) > 3 && f[3] == "0" && f[2] != "0" {
			own = "a"
		}
	}
	dirs, data, key := tree(t, "a", "b")
	must(t, os.Chmod(dirs[0], 0o770))
	if own != "" {
		own = dirs[0]
	}
	wantRefused(t, data, key, own)
	must(t, os.Chown(dirs[0], 0, 4242))
	wantRefused(t, data, key, dirs[0], "group 4242")
}

// checklist 78: links are followed as the operating system does it, and the directories
// of the link and of its target are checked.
func TestLinksToADirectory(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		relative bool
		open     int // the directory that others can write
		refused  bool
	}{
		"absolute":                          {false, -1, false},
		"relative":                          {true, -1, false},
		"the directory of the link is open": {false, 0, true},
		"a parent of the target is open":    {true, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			links, behind := filepath.Join(root, "links"), filepath.Join(root, "behind")
			target := filepath.Join(behind, "data")
			for _, dir := range []string{links, behind, target} {
				must(t, os.Mkdir(dir, 0o700))
			}
			must(t, os.WriteFile(filepath.Join(target, "key"), nil, 0o600))
			to := target
			if c.relative {
				to = "../links/./../behind/data/"
			}
			link := filepath.Join(links, "data")
			must(t, os.Symlink(to, link))
			want := ""
			if c.open >= 0 {
				open := []string{links, behind}[c.open]
				must(t, os.Chmod(open, 0o777))
				want = open
			}
			wantRefused(t, link, filepath.Join(link, "key"), want)
		})
	}
}

// checklist 78: a link of another user in a sticky directory leads where that user wants.
func TestALinkOfAnotherUser(t *testing.T) {
	t.Parallel()
	needRoot(t)
	dirs, data, _ := tree(t, "tmp")
	must(t, os.Chmod(dirs[0], 0o777|fs.ModeSticky))
	link := filepath.Join(dirs[0], "link")
	must(t, os.Symlink(data, link))
	wantRefused(t, link, filepath.Join(link, "key"), "")
	must(t, os.Lchown(link, 4242, 4242))
	wantRefused(t, link, filepath.Join(link, "key"), link, "user 4242")
}

// A link that leads to itself is an error, not an endless loop.
func TestALinkToItself(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(link, link))
	if err := ownership.Directory(link); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("got %v, want an error", err)
	}
}

// In a pod of Kubernetes, fsGroup makes volumes writable for the pod's group, and files on
// them readable. That is no other user. Anywhere else it may be one.
func TestVolumesOfAPod(t *testing.T) {
	dirs, data, key := tree(t, "volume")
	for _, dir := range dirs {
		must(t, os.Chmod(dir, 0o770|fs.ModeSetgid))
	}
	must(t, os.Chmod(key, 0o660))
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if err := ownership.Directory(data); err == nil {
		t.Error("outside of a pod: got no error for a directory that a group can write")
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
	wantRefused(t, data, key, "")
	must(t, os.Chmod(dirs[0], 0o777))
	wantRefused(t, data, key, dirs[0])
	if os.Geteuid() == 0 {
		must(t, os.Chmod(dirs[0], 0o770))
		must(t, os.Chown(dirs[0], 0, 4242))
		wantRefused(t, data, key, dirs[0], "group 4242")
	}
}

// An emptyDir has mode 0777. The directory of shared memory is a volume that is writable
// for all, too.
func TestAnEmptyDirOfAPod(t *testing.T) {
	const volume = "/dev/shm"
	info, err := os.Stat(volume)
	if runtime.GOOS != "linux" || err != nil || info.Mode().Perm() != 0o777 {
		t.Skip("LEFT OUT: it needs " + volume + " with mode 0777")
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if err := ownership.Directory(volume); err == nil {
		t.Error("outside of a pod: got no error for a volume that everybody can write")
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
	if err := ownership.Directory(volume); err != nil {
		t.Errorf("in a pod: got %v, want that it is trusted", err)
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("LEFT OUT: it needs root, which can make directories of another user")
	}
}
