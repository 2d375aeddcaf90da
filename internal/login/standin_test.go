package login_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// databricksApplication is the id of Databricks' application in Microsoft Entra, which is
// the resource that a token is for (Microsoft's documentation of Azure Databricks).
const databricksApplication = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// standIn serves a handler on this machine until the test ends.
func standIn(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// imds is Azure's instance metadata service, as Microsoft documents it: the header
// Metadata, the parameters api-version, resource and client_id, and numbers as texts.
func imds(token string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metadata/identity/oauth2/token", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case r.Header.Get("Metadata") != "true":
			answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_request",
				"error_description": "Required metadata header not specified"})
		case q.Get("api-version") != "2018-02-01" || q.Get("resource") != databricksApplication:
			answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_resource",
				"error_description": "AADSTS500011: unknown resource"})
		case q.Get("client_id") == "unassigned":
			answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_request", "error_description": "Identity not found"})
		default:
			answer(w, http.StatusOK, map[string]string{"access_token": token, "refresh_token": "", "expires_in": "3599",
				"expires_on": "4070908800",
				"not_before": "1700000000", "resource": q.Get("resource"), "token_type": "Bearer"})
		}
	})
	return mux
}

// appService is the identity endpoint of Azure App Service, as Microsoft documents it.
func appService(token, secret string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.Header.Get("X-IDENTITY-HEADER") != secret || q.Get("api-version") != "2019-08-01" || q.Get("resource") != databricksApplication ||
			q.Get("client_id") != "of-the-app" {
			answer(w, http.StatusBadRequest, map[string]any{"statusCode": 400, "message": "No MSI found"})
			return
		}
		answer(w, http.StatusOK, map[string]string{"access_token": token, "expires_on": "4070908800", "resource": q.Get("resource"),
			"token_type": "Bearer", "client_id": q.Get("client_id")})
	})
}

// entra is the token endpoint of a directory in Microsoft Entra (version 1, client
// credentials with a secret). It answers expires_in as a text, and repeats what it refuses.
func entra(token, secret string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /directory-1/oauth2/token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("grant_type") != "client_credentials" || r.FormValue("resource") != databricksApplication {
			answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_request",
				"error_description": "AADSTS900144: a parameter is missing"})
			return
		}
		if r.FormValue("client_id") != "application-1" || r.FormValue("client_secret") != secret {
			answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client",
				"error_description": "AADSTS7000215: Invalid client secret provided: " + r.FormValue("client_secret")})
			return
		}
		answer(w, http.StatusOK, map[string]string{"token_type": "Bearer", "expires_in": "3599", "ext_expires_in": "3599",
			"expires_on": "4070908800", "not_before": "1700000000", "resource": databricksApplication, "access_token": token})
	})
	return mux
}

// google is Google's OAuth: the token endpoint for the keys of service accounts (RFC
// 7523), the account of a machine, and the impersonation of another account.
type google struct {
	t *testing.T
	// token is the identity token that it issues, and audience whom it is for.
	token, audience string

	mu   sync.Mutex
	seen []string
}

func (g *google) note(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen = append(g.seen, what)
}

func (g *google) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(r.FormValue("assertion"), ".")
		if r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || len(parts) != 3 {
			answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
			return
		}
		claims := claimsOf(g.t, r.FormValue("assertion"))
		if claims["target_audience"] == nil {
			g.note("access token of the key")
			answer(w, http.StatusOK, map[string]any{"access_token": "ya29.of-the-key", "expires_in": 3599, "token_type": "Bearer"})
			return
		}
		if claims["target_audience"] != g.audience {
			answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": "wrong target_audience"})
			return
		}
		g.note("identity token of the key")
		answer(w, http.StatusOK, map[string]any{"id_token": g.token})
	})
	mux.HandleFunc("GET /computeMetadata/v1/instance/service-accounts/default/token", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Metadata-Flavor") != "Google" {
			http.Error(w, "Missing Metadata-Flavor:Google header.", http.StatusForbidden)
			return
		}
		g.note("access token of the machine")
		answer(w, http.StatusOK, map[string]any{"access_token": "ya29.of-the-machine", "expires_in": 3599, "token_type": "Bearer"})
	})
	mux.HandleFunc("POST /v1/projects/-/serviceAccounts/{call}", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Audience     string `json:"audience"`
			IncludeEmail bool   `json:"includeEmail"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ya29.")
		if r.PathValue("call") != "lytics@acme.iam.gserviceaccount.com:generateIdToken" || in.Audience != g.audience || !in.IncludeEmail ||
			bearer == r.Header.Get("Authorization") {
			answer(w, http.StatusForbidden, map[string]any{"error": map[string]any{"code": 403, "status": "PERMISSION_DENIED",
				"message": "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource"}})
			return
		}
		g.note("identity token by " + bearer)
		answer(w, http.StatusOK, map[string]any{"token": g.token})
	})
	mux.ServeHTTP(w, r)
}

// serviceAccountKey is the JSON key of a service account.
func serviceAccountKey(t *testing.T, tokenURI string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "acme", "private_key_id": "k1", "client_email": "lytics@acme.iam.gserviceaccount.com",
		"client_id":   "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": tokenURI,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// behind serves a sandbox as a public workspace.
func behind(t *testing.T, s *sandboxtest.Sandbox, host string) {
	t.Helper()
	at, err := url.Parse(strings.TrimSuffix(s.AdminURL, "/sandbox"))
	if err != nil {
		t.Fatal(err)
	}
	internet.serve(t, host, httputil.NewSingleHostReverseProxy(at))
}
