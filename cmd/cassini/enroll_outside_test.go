package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
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

	"cassini/manager"
	authority "cassini/manager/enroll"
	"cassini/model"
	"cassini/tools/testca"
)

// foreign is an authority that is not the manager's, and has keys of another kind.
type foreign struct {
	*testca.Authority
	t *testing.T
}

func newForeign(t *testing.T) *foreign {
	t.Helper()
	return &foreign{testca.New(t, testca.Config{P256: true}), t}
}

// TestOutsideAuthority serves with the certificate of another authority: hosts join by a
// token all the same, and agents that the other authority knows need none.
func TestOutsideAuthority(t *testing.T) {
	f := newForeign(t)
	files := t.TempDir()
	cert, key := f.WriteGiven(files, "manager", f.Give(&x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}))
	url, dir := secured(t, manager.TLS{On: true, Files: authority.Files{Cert: cert, Key: key, ClientCA: f.Write(filepath.Join(files, "ca.crt"))}})
	here := map[string]string{"CASSINI_DATA_DIR": dir, "CASSINI_API": url}
	token := strings.TrimSpace(cassini(t, here, "token", "create", "--role", "agent").stdout)
	if got := cassini(t, map[string]string{"CASSINI_TOKEN": token}, "join", "--manager", url, "--data-dir", t.TempDir()); got.code != 0 {
		t.Errorf("%+v", got)
	}
	for name, tc := range map[string]struct {
		by   *foreign
		uri  string
		want int
	}{
		"an agent":             {f, "/web-17", http.StatusOK},
		"of another host":      {f, "/web-18", http.StatusForbidden},
		"no agent":             {f, "", http.StatusUnauthorized},
		"of a third authority": {newForeign(t), "/web-17", http.StatusUnauthorized},
	} {
		if code := tc.by.ask(url+"/api/v1/documents?host=web-17", tc.uri); code != tc.want {
			t.Errorf("%s: %d, want %d", name, code, tc.want)
		}
	}
}

// ask asks with a certificate of this authority, and returns the status, or 0.
func (f *foreign) ask(target, uri string) int {
	f.t.Helper()
	template := &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if uri != "" {
		template.URIs = []*url.URL{{Scheme: "cassini", Host: "agent", Path: uri}}
	}
	shown := f.Give(template)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify:   true, // this is about whom the manager trusts
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &shown, nil },
	}}}
	resp, err := client.Get(target)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// TestSPIFFE is a manager and an agent whose certificates another authority gives and
// somebody renews in their files: neither an authority nor tokens of the manager's have a part.
func TestSPIFFE(t *testing.T) {
	f := newForeign(t)
	spiffe := func(path string) []*url.URL { return []*url.URL{{Scheme: "spiffe", Host: "example.org", Path: path}} }
	dir := t.TempDir()
	give := func(name string, template *x509.Certificate) (cert, key string, serial string) {
		t.Helper()
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
		given := f.Give(template)
		cert, key = f.WriteGiven(dir, name, given)
		return cert, key, given.Leaf.SerialNumber.String()
	}
	ca := f.Write(filepath.Join(dir, "ca.crt"))
	cert, key, before := give("manager", &x509.Certificate{URIs: spiffe("/cassini/manager"), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	target, data := secured(t, manager.TLS{On: true, Files: authority.Files{Cert: cert, Key: key, ClientCA: ca, IDs: []string{"spiffe://example.org/{tenant}/agent/{host}"}}})
	agentCert, agentKey, _ := give("agent", &x509.Certificate{URIs: spiffe("/shop/agent/web-17")})
	l, err := net.Listen("tcp", "127.0.0.1:0") // of the agent
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sink, work, err := reachManager(serveConfig{
		DataDir: t.TempDir(), Host: "web-17", Manager: target, Logger: newLogger(os.Stderr, slog.LevelError, "text"), Listener: l,
		AgentTLS: agentTLS{Cert: agentCert, Key: agentKey, CA: ca, ManagerID: "spiffe://example.org/cassini/manager"},
	})
	if err != nil {
		t.Fatal(err)
	}
	tell := func(host string) error {
		doc, err := model.NewDocument(model.Name{Host: host, Package: model.PackageOS}, time.Now(), map[string]string{})
		if err != nil {
			t.Fatal(err)
		}
		return work(func(ctx context.Context) error {
			_, err := sink.Deliver(ctx, model.Batch{Host: host, Documents: []model.Document{doc}})
			return err
		})(t.Context())
	}
	if err := tell("web-17"); err != nil {
		t.Error(err)
	}
	if err := tell("web-18"); err == nil || !strings.Contains(err.Error(), "you are the agent of web-17") {
		t.Errorf("of another: %v", err)
	}
	here := map[string]string{"CASSINI_DATA_DIR": data, "CASSINI_API": target}
	if got := cassini(t, here, "agents"); !strings.Contains(got.stdout, "web-17") || !strings.Contains(got.stdout, "shop") || !strings.Contains(got.stdout, "outside") || !strings.Contains(got.stdout, "spiffe://example.org/shop/agent/web-17") {
		t.Errorf("%+v", got)
	}
	give("agent", &x509.Certificate{URIs: spiffe("/shop/agent/web-17")})
	_, _, after := give("manager", &x509.Certificate{URIs: spiffe("/cassini/manager"), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	for end, serial := time.Now().Add(time.Minute), before; serial != after; time.Sleep(100 * time.Millisecond) {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(target, "https://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		serial = conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
		_ = conn.Close()
		if time.Now().After(end) {
			t.Fatal("the manager's certificate is not read again")
		}
	}
	if err := tell("web-17"); err != nil {
		t.Errorf("after both were renewed: %v", err)
	}
	if got := cassini(t, here, "agents", "revoke", "web-17"); got.code != 0 {
		t.Errorf("%+v", got)
	}
	if err := tell("web-17"); err == nil || !strings.Contains(err.Error(), "revoked at") {
		t.Errorf("after it was revoked: %v", err)
	}
}
