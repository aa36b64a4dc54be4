// Package httpd runs HTTP servers that end with a context.
package httpd

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Grace is how long answers that are on their way have when a server ends.
const Grace = 3 * time.Second

const maxHeader = 64 << 10 // bytes

// New makes a server whose requests end with the context. The caller sets timeouts.
func New(ctx context.Context, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:        h,
		MaxHeaderBytes: maxHeader,
		BaseContext:    func(net.Listener) context.Context { return ctx },
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// Until runs run, which is one of the server's ways to serve, until the context ends, and
// then gives answers that are on their way their Grace. It returns nil when the context
// ended, else why run did.
func Until(ctx context.Context, server *http.Server, run func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- run() }() // ends with Shutdown or Close
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), Grace)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close() // whoever is left had its time
	}
	<-ended
	return nil
}
