package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
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
)

// foreign is an authority that is not the manager's.
type foreign struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newForeign(t *testing.T) *foreign {
	t.Helper()
	f := &foreign{t: t}
	f.cert, f.key = f.sign(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return f
}

func (f *foreign) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	f.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := template, key
	if f.cert != nil {
		parent, signer = f.cert, f.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		f.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		f.t.Fatal(err)
	}
	return cert, key
}

func (f *foreign) write(name, kind string, ders ...[]byte) string {
	f.t.Helper()
	var text []byte
	for _, der := range ders {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	}
	path := filepath.Join(f.t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		f.t.Fatal(err)
	}
	return path
}

// TestOutsideAuthority serves with the certificate of another authority: hosts join by a
// token all the same, and agents that the other authority knows need none.
func TestOutsideAuthority(t *testing.T) {
	f := newForeign(t)
	server, serverKey := f.sign(&x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	der, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		t.Fatal(err)
	}
	url, dir := secured(t, manager.TLS{On: true, Files: authority.Files{
		Cert: f.write("cert", "CERTIFICATE", server.Raw, f.cert.Raw), Key: f.write("key", "PRIVATE KEY", der), ClientCA: f.write("ca", "CERTIFICATE", f.cert.Raw),
	}})
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
		"of a third authority": {newForeign(t), "/web-17", 0},
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
	cert, key := f.sign(template)
	shown := tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
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
