package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// Default addresses. An agent has its own, so that it fits beside a manager.
const (
	defaultListen      = "127.0.0.1:1984"
	defaultAgentListen = "127.0.0.1:1985"
)

// checkListen refuses addresses that others could reach, unless the port may be open: that
// of a manager is, because it asks who speaks, and that of 'cassini run' where it is told
// to serve TLS.
func checkListen(address string, open bool) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return usagef("--listen/CASSINI_LISTEN %q: want HOST:PORT, such as %s", address, defaultListen)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return usagef("--listen/CASSINI_LISTEN %q: want a port from 0 to 65535", address)
	}
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.Unmap().IsLoopback() || open {
		return nil
	}
	return usagef("--listen/CASSINI_LISTEN %q: not a loopback address; an agent, and 'cassini run' unless --tls-name says how others reach it, are for this machine alone: use %s, or 'cassini manager', or say --insecure where only those you trust reach it", address, net.JoinHostPort("127.0.0.1", port))
}

// bind takes the port. Errors say what to do.
func bind(ctx context.Context, address string, open bool) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, explainBind(address, err)
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); !open && (!ok || !tcp.IP.IsLoopback()) {
		err := usagef("--listen/CASSINI_LISTEN %q: is %s here, which is not loopback", address, listener.Addr())
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

func explainBind(address string, err error) error {
	host, port, _ := net.SplitHostPort(address)
	other := net.JoinHostPort(host, "PORT")
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("port %s of %s is in use, perhaps by another Cassini; stop that one, or choose another port with --listen %s or CASSINI_LISTEN", port, host, other)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("not permitted to listen on port %s; choose one above 1023 with --listen %s or CASSINI_LISTEN", port, other)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Errorf("this machine has no address %s; choose another with --listen or CASSINI_LISTEN", host)
	}
	return fmt.Errorf("listen on %s: %w", address, err)
}
