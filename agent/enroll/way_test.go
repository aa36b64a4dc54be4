package enroll

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

// wayTo goes to a server on loopback as to one of the name that DNS gave.
func wayTo(url string) *Way {
	return &Way{Service: "_cassini._tcp.example.org", Dial: func(ctx context.Context, secure func(string) *tls.Config) (net.Conn, error) {
		cfg := secure("m1.example.org")
		cfg.ServerName = "m1.example.org"
		return (&tls.Dialer{Config: cfg}).DialContext(ctx, "tcp", strings.TrimPrefix(url, "https://"))
	}}
}

// TestWay joins, renews and speaks on a way that DNS gave, to managers with certificates
// of several kinds: who is not the manager of the token gets nothing.
func TestWay(t *testing.T) {
	for name, tc := range map[string]struct {
		authority string
		names     []string
		good      bool
	}{
		"own authority":                  {model.AuthorityName + "boss", []string{"m1.example.org"}, true},
		"own authority, another name":    {model.AuthorityName + "boss", []string{"m2.example.org"}, false},
		"own authority, the domain":      {model.AuthorityName + "boss", []string{"_cassini._tcp.example.org"}, false},
		"a company's, a server":          {"Example Corp", []string{"m1.example.org"}, false},
		"a company's, of all the domain": {"Example Corp", []string{"m1.example.org", "example.org", "*.example.org"}, false},
		"a company's, a manager":         {"Example Corp", []string{"m1.example.org", "_cassini._tcp.example.org"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeOf(t, time.Hour, tc.authority)
			way := wayTo(f.serve(&x509.Certificate{DNSNames: tc.names}))
			dir := t.TempDir()
			_, err := Join(t.Context(), Request{Way: way, Token: f.token(), Host: "web-17", Dir: dir})
			if tc.good && err != nil || !tc.good && (!errors.Is(err, ErrOtherManager) || len(f.bodies) != 0) {
				t.Fatalf("got %v, and it was asked %v", err, f.bodies)
			}
			if !tc.good {
				if _, err := f.join(dir); err != nil { // by the URL, to see the agent refuse
					t.Fatal(err)
				}
			}
			m, err := OpenBy(dir, "web-17", way, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			conn, err := m.Dial(t.Context())
			if (err == nil) != tc.good {
				t.Errorf("dial: %v", err)
			}
			if err == nil {
				conn.Close()
			}
			if err := m.renew(t.Context(), m.identity()); (err == nil) != tc.good {
				t.Errorf("renew: %v", err)
			}
		})
	}
}
