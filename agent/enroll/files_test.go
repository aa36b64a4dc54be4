package enroll

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// written are files of an agent that an authority renews.
type written struct {
	t             *testing.T
	f             *fake
	cert, key, ca string
	times         int
}

func newWritten(t *testing.T, f *fake, life time.Duration) *written {
	t.Helper()
	dir := t.TempDir()
	w := &written{t: t, f: f, cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), ca: filepath.Join(dir, "ca.pem")}
	w.write(w.ca, blockCert, f.ca.Cert.Raw)
	w.renew(life)
	return w
}

func (w *written) write(path, kind string, der []byte) {
	w.t.Helper()
	w.times++
	at := time.Now().Add(time.Duration(w.times) * time.Second) // files of one moment are told apart by it
	if err := errors.Join(os.WriteFile(path, encode(kind, der), 0o600), os.Chtimes(path, at, at)); err != nil {
		w.t.Fatal(err)
	}
}

// renew writes another certificate and key, one after the other.
func (w *written) renew(life time.Duration) *x509.Certificate {
	w.t.Helper()
	given := w.f.ca.Give(&x509.Certificate{URIs: []*url.URL{{Scheme: "spiffe", Host: "example.org", Path: "/web-17"}}, NotAfter: time.Now().Add(life), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	der, err := x509.MarshalPKCS8PrivateKey(given.PrivateKey)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(w.key, blockKey, der)
	w.write(w.cert, blockCert, given.Leaf.Raw)
	return given.Leaf
}

func (w *written) open(edit func(*FileConfig)) (*FileMember, error) {
	cfg := FileConfig{Cert: w.cert, Key: w.key, CA: w.ca, Manager: w.f.url, Logger: slog.New(slog.DiscardHandler)}
	if edit != nil {
		edit(&cfg)
	}
	return OpenFiles(cfg)
}

// reach asks the manager for something.
func reach(t *testing.T, target string, cfg *tls.Config) error {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: cfg}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

func TestFilesOfAnotherAuthority(t *testing.T) {
	f := newFake(t, time.Hour)
	f.answer = func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusNoContent); return true }
	w := newWritten(t, f, time.Hour)
	m, err := w.open(nil)
	if err != nil {
		t.Fatal(err)
	}
	shown := func() *x509.Certificate {
		t.Helper()
		cert, err := m.TLS().GetClientCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return cert.Leaf
	}
	if err := reach(t, f.url, m.TLS()); err != nil {
		t.Error(err)
	}
	if next := w.renew(time.Hour); !shown().Equal(next) {
		t.Error("the renewed certificate is not shown")
	}
	held := shown()
	w.write(w.key, blockKey, []byte("half"))
	if !shown().Equal(held) {
		t.Error("while the files do not go together, another is shown")
	}
	next := w.renew(time.Hour)
	if !shown().Equal(next) {
		t.Error("after they did not go together, the renewed certificate is not shown")
	}
	other := newFake(t, time.Hour)
	w.write(w.ca, blockCert, other.ca.Cert.Raw)
	if err := reach(t, f.url, m.TLS()); !errors.Is(err, ErrOtherManager) {
		t.Errorf("by another authority: %v", err)
	}
	m.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	if _, err := m.TLS().GetClientCertificate(nil); !errors.Is(err, ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
	m, err = w.open(func(c *FileConfig) { c.Manager = strings.Replace(f.url, "https", "http", 1) })
	if !errors.Is(err, ErrInvalid) {
		t.Errorf("without TLS: %v, %v", m, err)
	}
	w.write(w.ca, "NOTHING", nil)
	if _, err := w.open(nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("without an authority: %v", err)
	}
}

// TestManagerByURI takes a manager by the URI in its certificate, and not by its address.
func TestManagerByURI(t *testing.T) {
	f := newFake(t, time.Hour)
	f.answer = func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusNoContent); return true }
	w := newWritten(t, f, time.Hour)
	uri := func(path string) *url.URL { return &url.URL{Scheme: "spiffe", Host: "example.org", Path: path} }
	for name, c := range map[string]struct {
		template *x509.Certificate
		ok       bool
	}{
		"the manager":      {&x509.Certificate{URIs: []*url.URL{uri("/manager")}}, true},
		"somebody else":    {&x509.Certificate{URIs: []*url.URL{uri("/web-17")}}, false},
		"somebody of two":  {&x509.Certificate{URIs: []*url.URL{uri("/manager"), uri("/web-17")}}, false},
		"only its address": {&x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, false},
	} {
		at := f.serve(c.template)
		m, err := w.open(func(cfg *FileConfig) { cfg.Manager, cfg.ManagerID = at, "spiffe://example.org/manager" })
		if err != nil {
			t.Fatal(err)
		}
		if err := reach(t, at, m.TLS()); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrOtherManager) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
