package enroll

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cassini/model"
	"cassini/tools/testca"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a manager that gives certificates for life.
type fake struct {
	t    *testing.T
	url  string
	ca   *testca.Authority
	life time.Duration

	mu     sync.Mutex
	host   string   // whom the next certificate is for
	called string   // what it is called there; "" is the same
	bodies []string // what was asked
	tokens []string
	// machines are those of which it was told.
	machines []model.Machine
	answer   func(w http.ResponseWriter) bool // instead of a certificate
}

func newFake(t *testing.T, life time.Duration) *fake {
	t.Helper()
	return newFakeOf(t, life, "Example Corp")
}

// newFakeOf names the authority.
func newFakeOf(t *testing.T, life time.Duration, authority string) *fake {
	t.Helper()
	f := &fake{t: t, ca: testca.New(t, testca.Config{Name: authority}), host: "web-17", life: life}
	f.url = f.serve(&x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	return f
}

// serve starts a server with a certificate of the authority, and returns its URL.
func (f *fake) serve(template *x509.Certificate) string {
	f.t.Helper()
	server := httptest.NewUnstartedServer(f)
	clients := x509.NewCertPool()
	clients.AddCert(f.ca.Cert)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{f.ca.Give(template)}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: clients}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	server.StartTLS()
	f.t.Cleanup(server.Close)
	return server.URL
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, _ := io.ReadAll(r.Body)
	f.bodies = append(f.bodies, r.URL.Path)
	f.tokens = append(f.tokens, r.Header.Get("Authorization"))
	if f.answer != nil && f.answer(w) {
		return
	}
	var body struct {
		Request string
		Machine model.Machine
	}
	_ = json.Unmarshal(raw, &body)
	block, _ := pem.Decode([]byte(body.Request))
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.machines = append(f.machines, body.Machine)
	leaf := f.ca.Sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: f.host}, URIs: []*url.URL{{Scheme: "cassini", Host: "agent", Path: "/" + cmp.Or(f.called, f.host)}},
		NotBefore: time.Now().Add(-time.Second), NotAfter: time.Now().Add(f.life), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, request.PublicKey)
	_ = json.NewEncoder(w).Encode(map[string]string{"certificate": string(encode(blockCert, leaf.Raw))})
}

func (f *fake) pin() string {
	sum := sha256.Sum256(f.ca.Cert.Raw)
	return hex.EncodeToString(sum[:])
}

func (f *fake) token() string { return "cassini_agent_id_secret_" + f.pin() }

func (f *fake) join(dir string) (*Identity, error) {
	return Join(f.t.Context(), Request{Manager: f.url, Token: f.token(), Host: "web-17", Dir: dir})
}

func TestJoin(t *testing.T) {
	f, dir := newFake(t, time.Hour), t.TempDir()
	id, err := f.join(dir)
	if err != nil || id.Host != "web-17" || !id.Authorities[0].Equal(f.ca.Cert) {
		t.Fatalf("got %+v, %v", id, err)
	}
	if f.tokens[0] != "Bearer "+f.token() || f.bodies[0] != "/api/v1/enroll" {
		t.Errorf("asked %v with %v", f.bodies, f.tokens)
	}
	again, err := Load(dir)
	if err != nil || !again.Cert.Leaf.Equal(id.Cert.Leaf) {
		t.Errorf("got %+v, %v", again, err)
	}
	if info, err := os.Stat(filepath.Join(dir, FileName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(dir, pendingFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the pending key is still there: %v", err)
	}
}

// TestNothingIsSentToAnother holds managers against hashes of others.
func TestNothingIsSentToAnother(t *testing.T) {
	f, other := newFake(t, time.Hour), newFake(t, time.Hour)
	for name, tc := range map[string]struct {
		r    Request
		want error
	}{
		"hash of another":       {Request{Manager: f.url, Token: other.token()}, ErrOtherManager},
		"named hash of another": {Request{Manager: f.url, Token: f.token(), Pin: "sha256:" + other.pin()}, ErrOtherManager},
		"another name":          {Request{Manager: strings.Replace(f.url, "127.0.0.1", "localhost", 1), Token: f.token()}, ErrOtherManager},
		"plain http":            {Request{Manager: strings.Replace(f.url, "https", "http", 1), Token: f.token()}, ErrInvalid},
		"no token":              {Request{Manager: f.url}, ErrInvalid},
		"short hash":            {Request{Manager: f.url, Token: "cassini_agent_id_secret_beef"}, ErrInvalid},
		"bad named hash":        {Request{Manager: f.url, Token: f.token(), Pin: "md5:1"}, ErrInvalid},
	} {
		tc.r.Host, tc.r.Dir = "web-17", t.TempDir()
		if _, err := Join(t.Context(), tc.r); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if len(f.tokens)+len(other.tokens) > 0 {
		t.Errorf("sent: %v %v", f.bodies, other.bodies)
	}
}

// TestJoinIsTriedAgain keeps the key for the next try.
func TestJoinIsTriedAgain(t *testing.T) {
	f, dir := newFake(t, time.Hour), t.TempDir()
	f.answer = func(w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"detail":"used up"}`)
		return true
	}
	if _, err := f.join(dir); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "used up") {
		t.Errorf("got %v", err)
	}
	kept, err := pendingKey(dir, pendingFile)
	if err != nil {
		t.Fatal(err)
	}
	f.answer = nil
	id, err := f.join(dir)
	if err != nil || !kept.Public().(ed25519.PublicKey).Equal(id.Cert.Leaf.PublicKey) {
		t.Errorf("got %+v, %v", id, err)
	}
	f.answer = func(w http.ResponseWriter) bool {
		_ = json.NewEncoder(w).Encode(map[string]string{"certificate": string(encode(blockCert, f.ca.Cert.Raw))})
		return true
	}
	if _, err := f.join(t.TempDir()); !errors.Is(err, ErrInvalid) {
		t.Errorf("a certificate for another key: %v", err)
	}
}

func TestOpen(t *testing.T) {
	f, dir := newFake(t, time.Hour), t.TempDir()
	if _, err := Open(dir, "web-17", f.url, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrNotJoined) || !strings.Contains(err.Error(), "cassini join") {
		t.Errorf("before it joined: %v", err)
	}
	if _, err := f.join(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, "web-18", f.url, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrNotJoined) {
		t.Errorf("under another name: %v", err)
	}
	raw, _ := os.ReadFile(filepath.Join(dir, FileName))
	for name, content := range map[string][]byte{"empty": nil, "half": raw[:len(raw)/2], "no key": raw[strings.Index(string(raw), "-----BEGIN CERT"):]} {
		bad := t.TempDir()
		_ = os.WriteFile(filepath.Join(bad, FileName), content, 0o600)
		if _, err := Load(bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	f.life = -time.Millisecond
	if _, err := f.join(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, "web-17", f.url, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
}

// TestAnotherHasTheName: what the manager calls this host is in its certificate, and holds
// over renewals.
func TestAnotherHasTheName(t *testing.T) {
	f, dir := newFake(t, time.Hour), t.TempDir()
	f.called = "web-17~2"
	machine := model.Machine{MachineID: "m", MACs: []string{"02:00:00:00:00:01"}}
	id, err := Join(t.Context(), Request{Manager: f.url, Token: f.token(), Host: "web-17", Machine: machine, Dir: dir})
	if err != nil || id.Host != "web-17~2" || id.Name != "web-17" || !reflect.DeepEqual(f.machines, []model.Machine{machine}) {
		t.Fatalf("got %+v, %v; told %+v", id, err, f.machines)
	}
	m, err := Open(dir, "web-17", f.url, slog.New(slog.DiscardHandler))
	if err != nil || m.Host() != "web-17~2" {
		t.Fatalf("%v, %v", m, err)
	}
	machine.DMI = "d"
	m.Tell(func() model.Machine { return machine })
	if err := m.renew(t.Context(), m.identity()); err != nil || m.Host() != "web-17~2" || f.machines[1].DMI != "d" {
		t.Errorf("renewed as %s, %v; told %+v", m.Host(), err, f.machines)
	}
	if _, err := Open(dir, "web-17~2", f.url, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrNotJoined) {
		t.Errorf("under a name that is not its host name: %v", err)
	}
	f.called = "" // somebody joins beside the agent that runs
	if _, err := f.join(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := m.TLS().GetClientCertificate(nil); err == nil || !strings.Contains(err.Error(), "restart it") || m.Host() != "web-17~2" {
		t.Errorf("as %s: %v", m.Host(), err)
	}
}

// TestRenews shows a new certificate after two thirds of the life of the old one, and one
// that was written beside it.
func TestRenews(t *testing.T) {
	f, dir := newFake(t, time.Hour), t.TempDir()
	first, err := f.join(dir)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(dir, "web-17", f.url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	m.now = func() time.Time { return first.renewAt().Add(-time.Millisecond) }
	if wait := m.step(t.Context()); wait <= 0 || len(f.bodies) != 1 {
		t.Errorf("before it is time: %v, %v", wait, f.bodies)
	}
	m.now = func() time.Time { return first.renewAt().Add(time.Millisecond) }
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	for m.identity().Cert.Leaf.Equal(first.Cert.Leaf) {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if f.bodies[1] != "/api/v1/enroll/renew" || f.tokens[1] != "" {
		t.Errorf("asked %v with %v", f.bodies, f.tokens)
	}
	cert, err := m.TLS().GetClientCertificate(nil)
	if err != nil || !cert.Leaf.Equal(m.identity().Cert.Leaf) {
		t.Errorf("shows %v, %v", cert, err)
	}
	m.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	if _, err := m.TLS().GetClientCertificate(nil); !errors.Is(err, ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
	m.now = time.Now
	third, err := f.join(dir)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err := m.TLS().GetClientCertificate(nil); err != nil || !cert.Leaf.Equal(third.Cert.Leaf) {
		t.Errorf("a certificate that was written beside it is not shown: %v", err)
	}
}

func FuzzPin(f *testing.F) {
	f.Add("cassini_agent_id_secret_" + strings.Repeat("a", 64))
	f.Fuzz(func(t *testing.T, token string) {
		if pin, err := Pin(token); err == nil && len(pin) != 64 {
			t.Errorf("%q gives %q", token, pin)
		}
	})
}
