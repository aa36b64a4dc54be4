// Package port serves metrics on a port of their own, as Prometheus' exporters do: with TLS,
// authentication and limits by the web configuration file of the Prometheus
// exporter-toolkit, on addresses or on sockets that systemd has opened, with a landing page.
package port

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/exporter-toolkit/web"

	"cassini/transport/httpd"
)

// ErrOpen says that anybody who reaches the port could read.
var ErrOpen = errors.New("not a loopback address, and no web configuration (--metrics-config FILE) says who may read")

// Config says where and how. The zero value is for no port.
type Config struct {
	Listen []string // HOST:PORT
	// Systemd takes the sockets that systemd passed (sd_listen_fds(3)) instead of Listen.
	Systemd bool
	// File is the web configuration, read again for each connection; "" is plain HTTP.
	// https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
	File string
	// Insecure lets anybody read who reaches it.
	Insecure bool
}

// On says whether there is such a port.
func (c Config) On() bool { return len(c.Listen) > 0 || c.Systemd }

// Check says what is wrong.
func (c Config) Check() error {
	if !c.On() {
		if c.File != "" {
			return errors.New("a web configuration file, and no address to listen on for metrics")
		}
		return nil
	}
	if c.Systemd && len(c.Listen) > 0 {
		return errors.New("systemd's sockets and addresses to listen on: one of both")
	}
	if c.File != "" {
		if err := web.Validate(c.File); err != nil {
			return fmt.Errorf("web configuration %s: %w", c.File, err)
		}
	}
	for _, at := range c.Listen {
		host, _, err := net.SplitHostPort(at)
		if err != nil {
			return fmt.Errorf("listen on %q: want HOST:PORT: %w", at, err)
		}
		ip, err := netip.ParseAddr(host)
		if loopback := host == "localhost" || err == nil && ip.Unmap().IsLoopback(); !loopback && c.File == "" && !c.Insecure {
			return fmt.Errorf("listen on %q: %w", at, ErrOpen)
		}
	}
	return nil
}

const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 2 * time.Minute
)

// Serve serves metrics until the context ends; then it returns nil soon.
func Serve(ctx context.Context, cfg Config, metrics http.Handler, version string, log *slog.Logger) error {
	landing, err := web.NewLandingPage(web.LandingConfig{
		Name: "Cassini", Description: "What this Cassini measures of itself and of what it sees, for Prometheus.", Version: version, Profiling: "false",
		Links: []web.LandingLinks{{Address: "/metrics", Text: "Metrics"}},
	})
	if err != nil {
		return fmt.Errorf("make the landing page of metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.Handle("GET /{$}", landing)
	server := httpd.New(ctx, mux, log)
	server.ReadHeaderTimeout, server.IdleTimeout = headerTimeout, idleTimeout
	err = httpd.Until(ctx, server, func() error {
		return web.ListenAndServe(server, &web.FlagConfig{WebListenAddresses: &cfg.Listen, WebSystemdSocket: &cfg.Systemd, WebConfigFile: &cfg.File}, log)
	})
	if err != nil {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}
