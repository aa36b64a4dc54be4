// Package announce answers those who ask their network for the manager: by multicast DNS
// (RFC 6762) it is a service _cassini._tcp.local (RFC 6763). It sends nothing that nobody
// asked for.
package announce

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"

	"github.com/hashicorp/mdns"
)

// service is what agents ask for; see package agent/srv.
const service = "_cassini._tcp"

// ErrNowhere says that there is no network to answer on.
var ErrNowhere = errors.New("no interface that is up, can multicast and has an address")

// Config is what Run needs.
type Config struct {
	Host   string         // of this machine, with or without a domain
	Listen netip.AddrPort // of the API; an address that is not specified is any
	Logger *slog.Logger
}

// Name is the name of a host in multicast DNS: web-1.example.org is web-1.local.
func Name(host string) string {
	short, _, _ := strings.Cut(host, ".")
	return short + ".local"
}

// Run answers on each interface that has an address of the API until the context ends. The
// interfaces are those of its start.
func Run(ctx context.Context, cfg Config) (err error) {
	var servers []*mdns.Server
	defer func() {
		for _, s := range servers {
			err = errors.Join(err, s.Shutdown())
		}
	}()
	places, err := Places()
	if err != nil {
		return err
	}
	quiet := slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelDebug)
	var on []string
	for _, p := range places {
		ips := p.reached(cfg.Listen.Addr())
		if ips == nil {
			continue
		}
		zone, err := mdns.NewMDNSService(strings.TrimSuffix(Name(cfg.Host), ".local"), service, "", Name(cfg.Host)+".", int(cfg.Listen.Port()), ips, []string{"path=/"})
		if err != nil {
			return fmt.Errorf("announce the manager: %w", err)
		}
		s, err := mdns.NewServer(&mdns.Config{Zone: zone, Iface: &p.Interface, Logger: quiet})
		if err != nil {
			return fmt.Errorf("announce the manager on %s (UDP port 5353): %w", p.Name, err)
		}
		servers, on = append(servers, s), append(on, p.Name)
	}
	if on == nil {
		return fmt.Errorf("announce the manager: %w for %s", ErrNowhere, cfg.Listen)
	}
	cfg.Logger.Info("agents find this manager by --manager srv:local", "service", service+".local", "as", Name(cfg.Host), "interfaces", strings.Join(on, " "))
	<-ctx.Done()
	return nil
}

// Place is an interface with its addresses.
type Place struct {
	net.Interface
	Addrs []netip.Addr // neither link-local nor of loopback
}

// Places are the interfaces that are up and can multicast, and have an address.
func Places() (places []Place, err error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagMulticast == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("list addresses of %s: %w", i.Name, err)
		}
		p := Place{Interface: i}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				if addr, ok := netip.AddrFromSlice(n.IP); ok && addr.Unmap().IsGlobalUnicast() {
					p.Addrs = append(p.Addrs, addr.Unmap())
				}
			}
		}
		if p.Addrs != nil {
			places = append(places, p)
		}
	}
	return places, nil
}

// reached are the addresses at which an API is reached that listens on an address.
func (p Place) reached(listen netip.Addr) (ips []net.IP) {
	for _, a := range p.Addrs {
		switch {
		case listen == a, listen == netip.IPv6Unspecified(), listen == netip.IPv4Unspecified() && a.Is4():
			ips = append(ips, a.AsSlice())
		}
	}
	return ips
}
