package port

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cassini/kernel-tests/undertest"

	"go.uber.org/goleak"
	"golang.org/x/crypto/bcrypt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// webConfig writes a configuration with TLS and a user, and returns it with a pool that
// trusts it.
func webConfig(t *testing.T) (path string, roots *x509.CertPool) {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string]string{
		"cert.pem": string(cert),
		"key.pem":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})),
		"web.yml":  fmt.Sprintf("tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\nbasic_auth_users:\n  prometheus: %s\n", hash),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	return filepath.Join(dir, "web.yml"), roots
}

// serving serves until the test ends, and returns where.
func serving(t *testing.T, file string) string {
	t.Helper()
	at := undertest.Addr(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "cassini_up 1\n") })
	go func() {
		ended <- Serve(ctx, Config{Listen: []string{at}, File: file}, metrics, "1.2.3", slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("tcp4", at); err == nil {
			_ = c.Close()
			return at
		}
	}
	t.Fatal("nobody listens")
	return ""
}

func TestServe(t *testing.T) {
	file, roots := webConfig(t)
	at := serving(t, file)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	for name, tt := range map[string]struct {
		path, user, password string
		status               int
		text                 string
	}{
		"metrics":        {"/metrics", "prometheus", "secret", http.StatusOK, "cassini_up 1"},
		"landing page":   {"/", "prometheus", "secret", http.StatusOK, `href="/metrics"`},
		"elsewhere":      {"/api/v1/nodes", "prometheus", "secret", http.StatusNotFound, ""},
		"wrong password": {"/metrics", "prometheus", "Secret", http.StatusUnauthorized, ""},
		"nobody":         {"/metrics", "", "", http.StatusUnauthorized, ""},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+at+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.user != "" {
				req.SetBasicAuth(tt.user, tt.password)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != tt.status || !strings.Contains(string(body), tt.text) {
				t.Errorf("%s: %s, %v", resp.Status, body, err)
			}
		})
	}
	if resp, err := http.Get("http://" + at + "/metrics"); err == nil {
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Error("it answers without TLS")
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = Serve(t.Context(), Config{Listen: []string{l.Addr().String()}}, http.NotFoundHandler(), "", slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "serve metrics: listen tcp") {
		t.Errorf("got %v", err)
	}
}

func TestCheck(t *testing.T) {
	good, _ := webConfig(t)
	bad := filepath.Join(t.TempDir(), "bad.yml")
	if err := os.WriteFile(bad, []byte("tls: yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, cfg := range map[string]Config{
		"":                    {},
		"and no address":      {File: good},
		"one of both":         {Listen: []string{"127.0.0.1:1"}, Systemd: true},
		"want HOST:PORT":      {Listen: []string{"9100"}},
		"says who may read":   {Listen: []string{"127.0.0.1:1", "0.0.0.0:1"}},
		"field tls not found": {Listen: []string{"127.0.0.1:1"}, File: bad},
		"no such file":        {Systemd: true, File: bad + "x"},
	} {
		if err := cfg.Check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", cfg, err, want)
		}
	}
	for _, cfg := range []Config{{Listen: []string{"0.0.0.0:1"}, File: good}, {Listen: []string{"0.0.0.0:1"}, Insecure: true}, {Listen: []string{"localhost:1", "[::1]:2"}}, {Systemd: true}} {
		if err := cfg.Check(); err != nil {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}
