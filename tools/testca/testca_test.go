package testca

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestAuthority gives certificates that are good where the authority is, for its time or theirs.
func TestAuthority(t *testing.T) {
	start := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for algorithm, p256 := range map[x509.PublicKeyAlgorithm]bool{x509.Ed25519: false, x509.ECDSA: true} {
		a, dir := New(t, Config{From: start, Life: time.Hour, P256: p256}), t.TempDir()
		roots := x509.NewCertPool()
		if raw, err := os.ReadFile(a.Write(filepath.Join(dir, "ca.crt"))); err != nil || !roots.AppendCertsFromPEM(raw) {
			t.Fatalf("%s, %v", raw, err)
		}
		given := a.Give(&x509.Certificate{DNSNames: []string{"web-17"}, NotAfter: start.Add(time.Minute)})
		pair, err := tls.LoadX509KeyPair(a.WriteGiven(dir, "web-17", given))
		if err != nil || len(pair.Certificate) != 2 || !pair.Leaf.Equal(given.Leaf) || pair.Leaf.PublicKeyAlgorithm != algorithm || a.Cert.PublicKeyAlgorithm != algorithm {
			t.Errorf("%v: %+v, %v", algorithm, pair.Leaf, err)
		}
		if as := a.Give(&x509.Certificate{}).Leaf; !as.NotBefore.Equal(start) || !as.NotAfter.Equal(a.Cert.NotAfter) {
			t.Errorf("%v: good from %v until %v", algorithm, as.NotBefore, as.NotAfter)
		}
		for at, want := range map[time.Duration]bool{-time.Second: false, 0: true, time.Minute: true, 2 * time.Minute: false} {
			if _, err := given.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "web-17", CurrentTime: start.Add(at)}); (err == nil) != want {
				t.Errorf("%v after %v: %v", algorithm, at, err)
			}
		}
	}
}
