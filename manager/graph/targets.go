package graph

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"cassini/model"
)

// TargetFilter selects services to scrape; an empty field matches everything.
type TargetFilter struct {
	Host, Program string
	Port          uint16
	Loopback      bool // also services that only their own host reaches
}

// notInLabels are what keys of labels here can have, and names of labels there cannot.
var notInLabels = strings.NewReplacer(".", "_", "-", "_")

// Targets are TCP services that listen, as Prometheus' HTTP service discovery wants
// them, sorted by service. A service on every address is told by the address that its
// host has on the way out.
func (g *Graph) Targets(f TargetFilter) []model.TargetGroup {
	groups := []model.TargetGroup{}
	g.mu.RLock()
	defer g.mu.RUnlock()
	for s := range g.services.all() {
		now := s.now()
		if now.State != model.StateListening || now.Proto != "tcp" || s.netns != "" || f.Host != "" && f.Host != s.host ||
			f.Program != "" && f.Program != now.Program() || f.Port != 0 && f.Port != now.Port {
			continue
		}
		addr, ok := g.scrapeAddress(s, f.Loopback)
		if !ok {
			continue
		}
		group := model.TargetGroup{
			Targets: []string{netip.AddrPortFrom(addr, now.Port).String()},
			Labels: map[string]string{
				"__meta_cassini_service": now.ID, "__meta_cassini_host": s.host, "__meta_cassini_program": now.Program(),
				"__meta_cassini_port": strconv.Itoa(int(now.Port)), "__meta_cassini_exe": now.Exe,
			},
		}
		for key, value := range g.labels[s.host].Labels {
			group.Labels["__meta_cassini_label_"+notInLabels.Replace(key)] = value
		}
		groups = append(groups, group)
	}
	slices.SortFunc(groups, func(a, b model.TargetGroup) int {
		return strings.Compare(a.Labels["__meta_cassini_service"], b.Labels["__meta_cassini_service"])
	})
	return groups
}

// scrapeAddress is where a service is reached: by its own address where it has one
// that others reach, else by its host's.
func (g *Graph) scrapeAddress(s *service, loopback bool) (netip.Addr, bool) {
	var local netip.Addr
	for _, a := range s.addrs() {
		switch {
		case a.IsUnspecified():
			if out := g.outward(s.host, a); out.IsValid() {
				return out, true
			}
			local = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		case global(a):
			return a, true
		case a.IsLoopback():
			local = a
		}
	}
	return local, loopback && local.IsValid()
}

// outward is an address of a host: of the interface with a default gateway before
// others, IPv4 before IPv6 where the service takes both, else by number.
func (g *Graph) outward(host string, listening netip.Addr) (best netip.Addr) {
	bestOut := false
	for _, i := range g.interfacesOf(host) {
		if i.Netns != "" {
			continue
		}
		out := len(i.DefaultGateways) > 0
		for _, text := range i.prefixes() {
			p, err := netip.ParsePrefix(text)
			if err != nil || !global(p.Addr()) || listening.Is4() && p.Addr().Is6() {
				continue
			}
			a := p.Addr()
			better := !best.IsValid() || out && !bestOut || out == bestOut && (a.Is4() && best.Is6() || a.Is4() == best.Is4() && a.Less(best))
			if better {
				best, bestOut = a, out
			}
		}
	}
	return best
}
