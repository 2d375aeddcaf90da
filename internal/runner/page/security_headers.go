package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

//go:embed assets
var assetFiles embed.FS

// policy allows the page to load only its own files. Inline scripts and styles
// are blocked, and script can create markup only through its Trusted Types
// policy.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types page"

// withSecurityHeaders sets the headers that keep other sites from using the
// page, and the page out of caches.
func withSecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		// With "no-referrer", a form's Origin would be "null", and the cross-origin
		// protection would refuse forms of browsers without Sec-Fetch-Site.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// assets are two maps: from the served name of an asset, which includes a digest of its
// content, to its file, and from the file to the served name.
var assets = sync.OnceValues(func() (byName, names map[string]string) {
	byName, names = map[string]string{}, map[string]string{}
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		panic(err) // the files are embedded: this cannot fail
	}
	for _, e := range entries {
		content, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			panic(err) // the files are embedded: this cannot fail
		}
		sum := sha256.Sum256(content)
		name := hex.EncodeToString(sum[:6]) + "-" + e.Name()
		byName[name], names[e.Name()] = "assets/"+e.Name(), name
	}
	return byName, names
})

func assetPath(file string) string {
	_, names := assets()
	return "/assets/" + names[file]
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	files, _ := assets()
	file, ok := files[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeFileFS(w, r, assetFiles, file)
}

func escape(segment string) string { return url.PathEscape(segment) }

// localPath returns text if it is a path on this server, otherwise "/".
func localPath(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil ||
		!strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") || strings.Contains(text, `\`) {
		return "/"
	}
	return text
}
