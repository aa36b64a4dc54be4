package testca

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// Write puts the certificate of the authority in a file, and returns its path.
func (a *Authority) Write(path string) string {
	a.t.Helper()
	return a.write(path, "CERTIFICATE", a.Cert.Raw)
}

// WriteGiven puts what was given in two files, name.crt and name.key, and returns their paths.
func (a *Authority) WriteGiven(dir, name string, given tls.Certificate) (cert, key string) {
	a.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(given.PrivateKey)
	if err != nil {
		a.t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	return a.write(path+".crt", "CERTIFICATE", given.Certificate...), a.write(path+".key", "PRIVATE KEY", der)
}

// write gives each file a later time: those of one moment are told apart by it.
func (a *Authority) write(path, kind string, ders ...[]byte) string {
	a.t.Helper()
	var text []byte
	for _, der := range ders {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	}
	a.files++
	at := time.Now().Add(time.Duration(a.files) * time.Second)
	if err := errors.Join(os.WriteFile(path, text, 0o600), os.Chtimes(path, at, at)); err != nil {
		a.t.Fatal(err)
	}
	return path
}
