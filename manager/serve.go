package manager

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"time"

	"cassini/manager/enroll"
)

// ErrNotLoopback says that others can reach an address.
var ErrNotLoopback = errors.New("not a loopback address")

// CheckListen says why an address HOST:PORT is not loopback. Where there is no reason,
// the manager trusts who reaches it; elsewhere it serves TLS and asks who they are.
func CheckListen(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("listen on %q: want HOST:PORT: %w", address, err)
	}
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.Unmap().IsLoopback() {
		return nil
	}
	return fmt.Errorf("listen on %q: %w, such as %s", address, ErrNotLoopback, net.JoinHostPort("127.0.0.1", port))
}

// TLS is how the manager serves beyond loopback, unless it is told to be insecure.
type TLS struct {
	On    bool          // on loopback as well
	Names []string      // further names and addresses at which it is reached
	Files enroll.Files  // certificates of another authority
	Life  time.Duration // of agents' certificates; 0 is enroll.DefaultLife
}

// openEnroll opens the authority, where the manager serves TLS.
func (m *Manager) openEnroll(address string) (err error) {
	if m.cfg.Insecure || CheckListen(address) == nil && !m.cfg.TLS.On {
		return enroll.RemoveLocalToken(m.cfg.DataDir)
	}
	m.enroll, err = enroll.Open(enroll.Config{
		Dir: m.cfg.DataDir, Host: m.cfg.Host, Life: m.cfg.TLS.Life, Names: m.cfg.TLS.Names, Outside: m.cfg.TLS.Files, Logger: m.log,
	}, m.cfg.Now())
	if err != nil {
		return fmt.Errorf("open enrolment: %w", err)
	}
	m.log.Info("serving TLS; hosts join by token", "ca_hash", "sha256:"+m.enroll.Pin(), "admin_token", filepath.Join(m.cfg.DataDir, enroll.TokenFile))
	return nil
}

// closeEnroll closes it, if it is open.
func (m *Manager) closeEnroll() error {
	if m.enroll == nil {
		return nil
	}
	return m.enroll.Close()
}

const shutdownTimeout = 3 * time.Second

// tls is nil where the manager serves without.
func (m *Manager) tls() *tls.Config {
	if m.enroll == nil {
		return nil
	}
	return m.enroll.TLS(m.cfg.Now)
}

// serve serves until the context ends, which also ends every request, and
// returns why it stopped: the error of the server, or nil. Without a configuration of TLS
// it is plain HTTP.
func serve(ctx context.Context, l net.Listener, h http.Handler, secure *tls.Config, log *slog.Logger) error {
	server := &http.Server{
		TLSConfig:         secure,
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { // ends with Shutdown or Close
		if secure != nil {
			failed <- server.ServeTLS(l, "", "")
			return
		}
		failed <- server.Serve(l)
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("serve the API: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close() // whoever is left had its time
	}
	<-failed
	return nil
}
