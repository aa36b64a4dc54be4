package main

import (
	"context"
	"log/slog"
	"net"
	"net/netip"

	"cassini/agent/enroll"
	"cassini/agent/srv"
)

// newFinder finds the manager of srv:DOMAIN; nil for a URL.
func newFinder(manager string, resolver *net.Resolver, log *slog.Logger) *srv.Finder {
	domain, ok, err := srv.Domain(manager)
	if !ok || err != nil {
		return nil
	}
	return srv.New(srv.Config{Domain: domain, Resolver: resolver, Logger: log})
}

// wayBy is the way to the manager that a finder finds; nil without one.
func wayBy(f *srv.Finder) *enroll.Way {
	if f == nil {
		return nil
	}
	return &enroll.Way{Service: f.Service(), Dial: f.Dial}
}

// asUsage says what is wrong with a setting, if something is.
func asUsage(setting, value string, err error) error {
	if err == nil {
		return nil
	}
	return usagef("%s %q: %w", setting, value, err)
}

// addrTowardManager is this host's address on the way to its manager.
func addrTowardManager(cfg serveConfig) (netip.Addr, error) {
	if cfg.Finder != nil {
		return cfg.Finder.LocalAddr(context.Background()) // bounded by its own timeouts
	}
	return addrToward(cfg.Manager)
}
