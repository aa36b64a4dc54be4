package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"cassini/transport/httpd"
)

const requestTimeout = 30 * time.Second

// serveHTTP serves until the context ends, which also ends every request.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	server := httpd.New(ctx, h, log)
	server.ReadHeaderTimeout, server.ReadTimeout, server.WriteTimeout = requestTimeout, requestTimeout, requestTimeout
	if err := httpd.Until(ctx, server, func() error { return server.Serve(l) }); err != nil {
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	}
	return nil
}

// guard refuses requests that come by a name which others can choose: with it an
// attacker's DNS could make a browser on this machine take us for their site.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !trustedHost(r.Host) {
			http.Error(w, "ask by address or as localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func trustedHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || strings.EqualFold(host, "localhost")
}
