package enroll

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cassini/manager/enroll"

	"golang.org/x/sys/unix"
)

// TestEnrolment is the life of an estate: hosts join, are on a ring, one is revoked and
// let in again, and whoever does not belong is refused.
func TestEnrolment(t *testing.T) {
	r := newRig(t, 3, "")
	viewer, joining := r.token("--role", "viewer"), r.token("--role", "agent", "--limit", "2")

	_, err := r.run("s1-h1", nil, r.agent("s1-h1")...)
	r.refused(err, "has not joined")
	for _, host := range []string{"s1-h1", "s1-h2"} {
		if err := r.join(host, joining); err != nil {
			t.Fatal(err)
		}
		r.startAgent(host)
	}
	r.wait("a ring of two", func() error { return r.whole("s1-h3", viewer, 2) })
	if info, err := os.Stat(filepath.Join(r.data("s1-h1"), "agent.pem")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}

	r.tokens(joining)
	r.strangers(viewer)
	r.speech()
	r.roles(viewer)
	r.revocation(viewer)

	r.stop(manager, unix.SIGKILL)
	r.startManager()
	r.wait("after a kill of the manager", func() error { return r.whole("s1-h3", viewer, 2) })
}

// tokens tries those that are no good.
func (r *rig) tokens(usedUp string) {
	r.t.Helper()
	r.refused(r.join("s1-h3", usedUp), "used up: 2 of 2")
	expiring := r.token("--role", "agent", "--life", "1s")
	revoked := r.token("--role", "agent")
	if _, err := r.admin("token", "revoke", strings.Split(revoked, "_")[2]); err != nil {
		r.t.Error(err)
	}
	r.refused(r.join("s1-h3", revoked), "revoked at")
	r.refused(r.join("s1-h3", r.token("--role", "viewer")), "hosts join by one of role agent")
	r.refused(r.join("s1-h3", r.token("--role", "agent", "--host", "s1-h9")), "for host s1-h9 alone")
	r.wait("a token expires", func() error {
		out, err := r.admin("token", "list")
		if err == nil && !strings.Contains(out, "expired") {
			err = errors.New(out)
		}
		return err
	})
	r.refused(r.join("s1-h3", expiring), "expired at")
	if _, err := os.Stat(filepath.Join(r.data("s1-h3"), "agent.pem")); !errors.Is(err, os.ErrNotExist) {
		r.t.Errorf("s1-h3 has a certificate: %v", err)
	}
}

// strangers are those who show nothing, or what somebody else signed.
func (r *rig) strangers(viewer string) {
	r.t.Helper()
	good := r.token("--role", "agent")
	asked := r.impostor()
	err := r.joinAt("s1-h3", good, "https://"+net.JoinHostPort(r.estate.Manager().Addr.String(), "1999"))
	r.refused(err, "not the manager of the token")
	r.refused(r.join("s1-h3", good[:len(good)-1]+flip(good[len(good)-1])), "not the manager of the token")
	r.refused(r.join("s1-h3", good, "--ca-hash", "sha256:"+strings.Repeat("ab", 32)), "nothing was sent")
	if n := asked.Load(); n != 0 {
		r.t.Errorf("an impostor was asked %d times", n)
	}
	for _, path := range []string{"/api/v1/services", "/metrics", "/", "/api/v1/rings"} {
		if code, text := r.ask("s1-h3", "GET", path, "", "", ""); code != http.StatusUnauthorized {
			r.t.Errorf("%s without anything: %d %s", path, code, text)
		}
	}
	if code, _ := r.ask("s1-h3", "POST", "/api/v1/documents", `{"host":"s1-h3","documents":[]}`, "", ""); code != http.StatusUnauthorized {
		r.t.Errorf("documents without a certificate: %d", code)
	}
	if code, text := r.ask("s1-h3", "GET", "/-/healthy", "", "", ""); code != http.StatusOK {
		r.t.Errorf("health: %d %s", code, text)
	}
	_, err = r.run("s1-h3", []string{"CASSINI_TOKEN=" + viewer}, "services", "--api", strings.Replace(r.url(), "https", "http", 1))
	r.refused(err, "over https alone")
	r.forge()
}

// forge shows a certificate for s1-h1 that another authority signed.
func (r *rig) forge() {
	r.t.Helper()
	public, key, _ := ed25519.GenerateKey(rand.Reader)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		URIs: []*url.URL{{Scheme: "cassini", Host: "agent", Path: "/s1-h1"}}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		r.t.Fatal(err)
	}
	var conn *tls.Conn
	err = r.estate.Do("s1-h3", func() error {
		c, err := tls.Dial("tcp", strings.TrimPrefix(r.url(), "https://"), &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
			}})
		conn = c
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	_, _ = fmt.Fprintf(conn, "GET /api/v1/documents?host=s1-h1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 401 ") || !strings.Contains(string(answer), "which does not count here") {
		r.t.Errorf("a certificate that it signed itself: %s, %v", answer, err)
	}
}

func flip(c byte) string {
	if c == '0' {
		return "1"
	}
	return "0"
}

func (r *rig) joinAt(host, token, at string) error {
	_, err := r.run(host, []string{"CASSINI_TOKEN=" + token}, "join", "--manager", at, "--data-dir", r.data(host))
	return err
}

// impostor serves TLS with a certificate of its own beside the manager, and counts what
// it is asked.
func (r *rig) impostor() *atomic.Int32 {
	r.t.Helper()
	authority, err := enroll.Open(enroll.Config{Dir: r.t.TempDir(), Host: "impostor"}, time.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	var l net.Listener
	err = r.estate.Do(manager, func() (err error) {
		l, err = net.Listen("tcp", ":1999")
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	var asked atomic.Int32
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }), TLSConfig: authority.TLS(time.Now)}
	go func() { _ = server.ServeTLS(l, "", "") }() // ends with Close
	r.t.Cleanup(func() { _ = errors.Join(server.Close(), authority.Close()) })
	return &asked
}

// speech lets s1-h1 speak for itself and for others.
func (r *rig) speech() {
	r.t.Helper()
	for host, want := range map[string]int{"s1-h1": http.StatusOK, "s1-h2": http.StatusForbidden, manager: http.StatusForbidden} {
		if code, text := r.ask("s1-h1", "POST", "/api/v1/documents", fmt.Sprintf(`{"host":%q,"documents":[]}`, host), "", "s1-h1"); code != want {
			r.t.Errorf("documents of %s: %d %s", host, code, text)
		}
	}
	if code, text := r.ask("s1-h1", "POST", "/api/v1/rings/join", `{"host":"s1-h2"}`, "", "s1-h1"); code != http.StatusForbidden {
		r.t.Errorf("on a ring as s1-h2: %d %s", code, text)
	}
	if code, _ := r.ask("s1-h1", "POST", "/api/v1/tokens", `{"role":"admin"}`, "", "s1-h1"); code != http.StatusForbidden {
		r.t.Errorf("an agent makes a token: %d", code)
	}
	r.refused(r.join("s1-h3", r.token("--role", "agent", "--host", "s1-h3"), "--data-dir", r.data("s1-h3"), "--manager", strings.Replace(r.url(), "https", "http", 1)), "want a URL such as https")
}

// roles lets people rotate keys.
func (r *rig) roles(viewer string) {
	r.t.Helper()
	for token, want := range map[string]int{
		viewer: http.StatusForbidden, r.token("--role", "agent"): http.StatusUnauthorized,
		r.token("--role", "operator"): http.StatusNoContent, r.token("--role", "admin"): http.StatusNoContent,
	} {
		if code, text := r.ask("s1-h3", "POST", "/api/v1/rings/rotate", "", token, ""); code != want {
			r.t.Errorf("rotate by %s: %d %s", strings.Split(token, "_")[1], code, text)
		}
	}
	_, err := r.run("s1-h3", []string{"CASSINI_TOKEN=" + viewer}, "token", "create", "--role", "admin", "--api", r.url())
	r.refused(err, "this is for role admin, your token is for viewer")
}

// revocation shuts s1-h2 out and lets it in again, without another start of its agent.
func (r *rig) revocation(viewer string) {
	r.t.Helper()
	before := r.token("--role", "agent", "--limit", "9")
	if _, err := r.admin("agents", "revoke", "s1-h2"); err != nil {
		r.t.Fatal(err)
	}
	if code, text := r.ask("s1-h2", "POST", "/api/v1/documents", `{"host":"s1-h2","documents":[]}`, "", "s1-h2"); code != http.StatusUnauthorized || !strings.Contains(text, "revoked") {
		r.t.Errorf("a revoked certificate: %d %s", code, text)
	}
	r.wait("it is on no ring any more", func() error { return r.whole("s1-h3", viewer, 1) })
	r.stop("s1-h2", unix.SIGTERM)
	r.startAgent("s1-h2")
	r.wait("the agent says that it is revoked, and what to do", func() error {
		if log := r.log("s1-h2"); !strings.Contains(log, "was revoked at") || !strings.Contains(log, "cassini join") {
			return errors.New(log)
		}
		return nil
	})
	r.refused(r.join("s1-h2", before), "only a token that was made after that")
	if err := r.join("s1-h2", r.token("--role", "agent")); err != nil {
		r.t.Error(err)
	}
	r.wait("it is on the ring again", func() error { return r.whole("s1-h3", viewer, 2) })
}

// TestRenewal lives through several certificates, and then past the last one.
func TestRenewal(t *testing.T) {
	r := newRig(t, 1, "agent-certificate-life: 18s\n") // six seconds are left to renew one, where the agent has to wait for a processor
	if err := r.join("s1-h1", r.token("--role", "agent")); err != nil {
		t.Fatal(err)
	}
	r.startAgent("s1-h1")
	record := func() (list []enroll.Record) {
		out, err := r.admin("agents", "-o", "json")
		if err == nil {
			err = json.Unmarshal([]byte(out), &list)
		}
		if err != nil || len(list) != 1 {
			t.Fatalf("%v: %s", err, out)
		}
		return list
	}
	first := record()[0]
	serials := map[string]bool{}
	r.wait("three certificates more", func() error {
		all := record()[0].Certificates
		serials[all[len(all)-1].Serial] = true
		if len(serials) < 4 {
			return fmt.Errorf("%d so far", len(serials))
		}
		return nil
	})
	if now := time.Now(); now.Before(first.Certificates[0].Expires) {
		t.Errorf("renewed far too soon: the first is good until %v", first.Certificates[0].Expires)
	}
	if code, text := r.ask("s1-h1", "POST", "/api/v1/documents", `{"host":"s1-h1","documents":[]}`, "", "s1-h1"); code != http.StatusOK {
		t.Errorf("with a renewed certificate: %d %s", code, text)
	}
	r.stop("s1-h1", unix.SIGTERM)
	certs := record()[0].Certificates
	last := certs[len(certs)-1].Expires
	time.Sleep(time.Until(last.Add(time.Second)))
	if code, text := r.ask("s1-h1", "POST", "/api/v1/documents", `{"host":"s1-h1","documents":[]}`, "", "s1-h1"); code != http.StatusUnauthorized || !strings.Contains(text, "expired at") {
		t.Errorf("with an expired certificate: %d %s", code, text)
	}
	_, err := r.run("s1-h1", nil, r.agent("s1-h1")...)
	r.refused(err, "make a token on the manager")
}
