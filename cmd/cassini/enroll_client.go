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
type credentials struct{ token, file, ca string }

func (c *credentials) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.token, "token", "", "`token` for an API with TLS; others see command lines: prefer the environment or a file")
	flags.StringVar(&c.file, "token-file", "", "`file` with the token; by default "+authority.TokenFile+" of the data directory, if it can be read")
	flags.StringVar(&c.ca, "ca", "", "`file` with the authority of the API's certificate; by default the one in the token")
	config.Mark(flags, "token", "token-file", "ca")
	config.Secret(flags, "token")
}

// settle finds the token, and how to verify who answers at an address. Where the address
// is the default and there is a token, it is that of a manager with TLS.
func (c *credentials) settle(sys *system, address string, cfg *client.Config) (string, error) {
	named := c.token != "" || c.file != ""
	if !named && address != client.DefaultURL && !isHTTPS(address) {
		return address, nil
	}
	token, err := c.find(sys)
	if err != nil {
		return "", err
	}
	switch {
	case token != "" && address == client.DefaultURL:
		address = localURL
	case token != "" && !strings.Contains(address, "://"):
		address = "https://" + address
	case !isHTTPS(address) && named:
		return "", usagef("--api/CASSINI_API %q: a token is sent over https alone", address)
	}
	if !isHTTPS(address) {
		return address, nil
	}
	cfg.Token = token
	cfg.TLS, err = c.verify(address, token)
	return address, err
}

// find reads the token: the one that is given, or that of this machine if it may.
func (c *credentials) find(sys *system) (string, error) {
	if c.token != "" {
		return strings.TrimSpace(c.token), nil
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

// verify trusts the authority that is named, or that of the token, or without a token
// those of this machine.
func (c *credentials) verify(address, token string) (*tls.Config, error) {
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
