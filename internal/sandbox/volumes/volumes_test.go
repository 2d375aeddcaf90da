package volumes_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/volumes"
)

// The Files API as Databricks documents it, and the same files for an engine.
func TestFilesAPI(t *testing.T) {
	t.Parallel()
	store, err := volumes.Open(t.TempDir(), []string{"main.default.v"}, &fault.Set{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	server := httptest.NewServer(store)
	t.Cleanup(server.Close)
	call := func(method, path, body string) string {
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d %s", response.StatusCode, text)
	}
	const files, directories = "/api/2.0/fs/files/Volumes/main/default/v", "/api/2.0/fs/directories/Volumes/main/default/v"
	for _, step := range []struct{ method, path, want string }{
		{"PUT", files + "/a/1.csv", "404"}, // the directory does not exist
		{"PUT", directories + "/a/b", "204"},
		{"PUT", directories + "/a/b", "204"},
		{"PUT", files + "/a/1%20x.csv", "204"},
		{"PUT", files + "/a/1%20x.csv", "409"},
		{"PUT", files + "/a/1%20x.csv?overwrite=true", "204"},
		{"GET", files + "/a/1%20x.csv", "200 body"},
		{"GET", files + "/a/2.csv", "404"},
		{"GET", directories + "/a", `200 {"contents":[{"path":"/Volumes/main/default/v/a/1 x.csv","name":"1 x.csv","is_directory":false,"file_size":4`},
		{"DELETE", directories + "/a", "400"}, // it is not empty
		{"DELETE", files + "/a/1%20x.csv", "204"},
		{"DELETE", files + "/a/1%20x.csv", "404"},
		{"DELETE", directories + "/a/b", "204"},
		{"DELETE", directories + "/a", "204"},
		{"DELETE", directories, "400"},
		{"GET", directories, `200 {"contents":[]}`},
		{"GET", "/api/2.0/fs/directories/Volumes/main/default/other", "404"},
	} {
		if got := call(step.method, step.path, "body"); !strings.HasPrefix(got, step.want) {
			t.Errorf("%s %s: got %s, want %s", step.method, step.path, got, step.want)
		}
	}
	call("PUT", directories+"/run", "")
	call("PUT", files+"/run/x.csv", "1\n")
	found, err := store.List(t.Context(), "/Volumes/main/default/v", "run/")
	if err != nil || len(found) != 1 || found[0].Key != "run/x.csv" || found[0].Size != 2 {
		t.Errorf("%+v, %v", found, err)
	}
	r, err := store.Read(t.Context(), "/Volumes/main/default/v", "run/x.csv")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if _ = r.Close(); err != nil || string(text) != "1\n" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := store.List(t.Context(), "/Volumes/main/default/other", ""); err == nil {
		t.Error("got no error for a volume that does not exist")
	}
}
