package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"cassini/agent/enroll"
	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/config"
	authority "cassini/manager/enroll"
)

// localURL is a manager on this machine that serves TLS.
const localURL = "https://127.0.0.1:1984"

// credentials are how a command shows who asks, and knows whom it asks.
type credentials struct{ token, file, ca, cert, key string }

func (c *credentials) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.token, "token", "", "`token` for an API with TLS; others see command lines: prefer the environment or a file")
	flags.StringVar(&c.file, "token-file", "", "`file` with the token; by default "+authority.TokenFile+" of the data directory, if it can be read")
	flags.StringVar(&c.ca, "ca", "", "`file` with the authority of the API's certificate; by default the one in the token")
	flags.StringVar(&c.cert, "client-cert", "", "`file` with a certificate to show instead of a token, and those that signed it, in PEM")
	flags.StringVar(&c.key, "client-key", "", "`file` with its key; by default the same file")
	config.Mark(flags, "token", "token-file", "ca", "client-cert", "client-key")
	config.Secret(flags, "token")
}

// settle finds the token, and how to verify who answers at an address. Where the address
// is the default and there is a token, it is that of a manager with TLS.
func (c *credentials) settle(sys *system, address string, cfg *client.Config) (string, error) {
	if c.key != "" && c.cert == "" {
		return "", usagef("--client-key/CASSINI_CLIENT_KEY: it is of --client-cert/CASSINI_CLIENT_CERT, which is missing")
	}
	named := c.token != "" || c.file != "" || c.cert != ""
	if !named && address != client.DefaultURL && !isHTTPS(address) {
		return address, nil
	}
	token, err := c.find(sys)
	if err != nil {
		return "", err
	}
	switch {
	case (token != "" || c.cert != "") && address == client.DefaultURL:
		address = localURL
	case (token != "" || c.cert != "") && !strings.Contains(address, "://"):
		address = "https://" + address
	case !isHTTPS(address) && named:
		return "", usagef("--api/CASSINI_API %q: a token is sent over https alone, and so is a certificate shown", address)
	}
	if !isHTTPS(address) {
		return address, nil
	}
	cfg.Token = token
	cfg.TLS, err = c.verify(address, token)
	return address, err
}

// find reads the token: the one that is given, or that of this machine if it may. Who shows a
// certificate needs none.
func (c *credentials) find(sys *system) (string, error) {
	if c.token != "" {
		return strings.TrimSpace(c.token), nil
	}
	if c.cert != "" && c.file == "" {
		return "", nil
	}
	path := cmp.Or(c.file, filepath.Join(cmp.Or(sys.getenv(config.Variable("data-dir")), defaultDataDir), authority.TokenFile))
	raw, err := os.ReadFile(path)
	if err != nil && c.file == "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)) {
		return "", nil
	}
	if err != nil {
		return "", usagef("--token-file/CASSINI_TOKEN_FILE: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// verify trusts the authority that is named, or that beside the certificate that is shown,
// or that of the token, or without these those of this machine.
func (c *credentials) verify(address, token string) (*tls.Config, error) {
	if c.cert == "" {
		return c.trust(address, token)
	}
	cert, roots, err := c.shown()
	if err != nil {
		return nil, err
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}
	if c.ca != "" || roots == nil {
		if cfg, err = c.trust(address, token); err != nil {
			return nil, err
		}
	}
	if cfg == nil {
		cfg = &tls.Config{MinVersion: tls.VersionTLS13}
	}
	cfg.Certificates = []tls.Certificate{cert}
	return cfg, nil
}

func (c *credentials) trust(address, token string) (*tls.Config, error) {
	if c.ca == "" && token == "" {
		return nil, nil
	}
	if c.ca == "" {
		pin, err := enroll.Pin(token)
		if err != nil {
			return nil, usagef("--token/CASSINI_TOKEN: %w", err)
		}
		u, err := url.Parse(address)
		if err != nil {
			return nil, usagef("--api/CASSINI_API: not a URL: %q", address)
		}
		return enroll.Pinned(pin, u.Hostname()), nil
	}
	raw, err := os.ReadFile(c.ca)
	if err != nil {
		return nil, usagef("--ca/CASSINI_CA: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(raw) {
		return nil, usagef("--ca/CASSINI_CA: %s: there is no certificate in it; want PEM", c.ca)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}, nil
}

func isHTTPS(address string) bool {
	scheme, _, ok := strings.Cut(address, "://")
	return ok && strings.EqualFold(scheme, "https")
}
