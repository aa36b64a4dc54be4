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
	"slices"
	"time"

	"cassini/manager/announce"
	"cassini/manager/enroll"
	"cassini/manager/guests"
	"cassini/transport/httpd"
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
	// Announce answers those who ask their network for the manager (package announce).
	Announce bool
}

// openEnroll opens the authority, where the manager serves TLS.
func (m *Manager) openEnroll(address string) (err error) {
	if m.cfg.Insecure || CheckListen(address) == nil && !m.cfg.TLS.On {
		return enroll.RemoveLocalToken(m.cfg.DataDir)
	}
	names := slices.Clone(m.cfg.TLS.Names)
	if m.cfg.TLS.Announce {
		names = append(names, announce.Name(m.cfg.Host))
	}
	m.enroll, err = enroll.Open(enroll.Config{
		Dir: m.cfg.DataDir, Host: m.cfg.Host, Life: m.cfg.TLS.Life, Names: names, Outside: m.cfg.TLS.Files, Logger: m.log, Moved: m.moved, Machine: m.cfg.Machine, Known: m.known, Hold: m.waits,
	}, m.cfg.Now())
	if err != nil {
		return fmt.Errorf("open enrolment: %w", err)
	}
	m.log.Info("serving TLS; hosts join by token", "ca_hash", "sha256:"+m.enroll.Pin(), "admin_token", filepath.Join(m.cfg.DataDir, enroll.TokenFile))
	return nil
}

// announceAgain is when a network is looked for again to answer on.
const announceAgain = 30 * time.Second

// announce answers multicast DNS until the context ends. A network that is not there yet is
// waited for.
func (m *Manager) announce(ctx context.Context, l net.Addr) {
	at, err := netip.ParseAddrPort(l.String())
	if err != nil {
		m.log.Error("the manager is not announced", "error", err)
		return
	}
	cfg := announce.Config{Host: m.cfg.Host, Listen: netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), Logger: m.log}
	for ctx.Err() == nil {
		if err := announce.Run(ctx, cfg); err != nil {
			m.log.Warn("the manager is not announced; trying again", "in", announceAgain, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(announceAgain):
		}
	}
}

// closeEnroll closes it, if it is open.
func (m *Manager) closeEnroll() error {
	if m.enroll == nil {
		return nil
	}
	return m.enroll.Close()
}

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
func serve(ctx context.Context, l net.Listener, h http.Handler, secure *tls.Config, bounds *guests.Guests, log *slog.Logger) error {
	server := httpd.New(ctx, h, log)
	server.TLSConfig, server.ReadHeaderTimeout, server.IdleTimeout = secure, 5*time.Second, 2*time.Minute
	err := httpd.Until(ctx, server, func() error {
		if secure != nil {
			server.ConnContext, server.Handler = guests.Context, bounds.Handler(h)
			return server.ServeTLS(bounds.Listen(l), "", "")
		}
		return server.Serve(l)
	})
	if err != nil {
		return fmt.Errorf("serve the API: %w", err)
	}
	return nil
}
