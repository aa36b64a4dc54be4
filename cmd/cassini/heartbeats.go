package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"

	"cassini/manager"
	"cassini/model"
)

// Profiles of heartbeats.
const (
	profileStandard = "standard"
	profileFast     = "fast"
)

func profiles() map[string]model.Profile {
	return map[string]model.Profile{profileStandard: model.StandardProfile(), profileFast: model.FastProfile()}
}

// heartbeatAddr is the UDP address beside the TCP one: the same port, or so many above it,
// for the agent that shares a process with a manager.
func heartbeatAddr(cfg serveConfig, above uint16) netip.AddrPort {
	tcp, ok := cfg.Listener.Addr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	at := tcp.AddrPort()
	addr := at.Addr().Unmap()
	if cfg.Manager != "" && !isLoopback(cfg.Manager) && addr.IsLoopback() {
		// The API of an agent stays on loopback; its neighbors are elsewhere.
		addr = netip.IPv4Unspecified()
		if remote, err := addrTowardManager(cfg); err == nil && remote.Is6() {
			addr = netip.IPv6Unspecified()
		}
	}
	return netip.AddrPortFrom(addr, at.Port()+above)
}

func isLoopback(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// addrToward is this host's address on the way to a URL. Nothing is sent.
func addrToward(raw string) (netip.Addr, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("address toward %q: %w", raw, err)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	conn, err := net.Dial("udp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("address toward %s: %w", u.Host, err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// agentURL is where the manager may ask this agent for fresh counters, "" where it
// cannot reach it.
func agentURL(cfg serveConfig) string {
	tcp, ok := cfg.Listener.Addr().(*net.TCPAddr)
	if !ok || !isLoopback(cfg.Manager) || !tcp.IP.IsLoopback() {
		return ""
	}
	return "http://" + tcp.String()
}

// ownAddr is the address at which other hosts reach this one: that of the listener, or
// the one that a datagram to the default route would bear.
func ownAddr(cfg serveConfig) (netip.Addr, error) {
	addr := cfg.Listener.Addr().(*net.TCPAddr).AddrPort().Addr().Unmap()
	if !addr.IsUnspecified() {
		return addr, nil
	}
	return addrToward("http://192.0.2.1") // a documentation network (RFC 5737): nothing is sent
}

// inProcess is the manager of an agent in the same process.
type inProcess struct{ *manager.Manager }

// Join implements heartbeat.Manager.
func (p inProcess) Join(ctx context.Context, j model.Join) (*model.Joined, error) {
	joined, err := p.Manager.Join(ctx, j)
	if err != nil {
		return nil, err
	}
	answer := *joined
	if answer.Manager.Addr.Addr().IsUnspecified() {
		answer.Manager.Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), answer.Manager.Addr.Port())
	}
	return &answer, nil
}
