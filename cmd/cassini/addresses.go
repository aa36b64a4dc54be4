package main

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"cassini/cmd/cassini/internal/client"
	"cassini/model"
)

// resolveAddress finds the host that has an address, or with a port behind it the service
// that listens there; "" is for what is no address, and for one that is nobody's or
// several hosts'.
func resolveAddress(ctx context.Context, c *client.Client, name string, at time.Time) (string, error) {
	addr, err := netip.ParseAddr(name)
	end, withPort := netip.AddrPort{}, false
	if err != nil {
		if end, err = netip.ParseAddrPort(name); err != nil {
			return "", nil //nolint:nilerr // what is no address may be a name
		}
		addr, withPort = end.Addr(), true
	}
	query := client.Query{}.With("q", addr.String()).Number("limit", nodesToComplete).At(at)
	nodes, err := c.Nodes(ctx, query)
	if err != nil {
		return "", err
	}
	host := hostAt(addr, nodes)
	if !withPort {
		return host, nil
	}
	if host != "" { // its services on every address do not have this one
		more, err := c.Nodes(ctx, client.Query{}.With("host", model.NodeHost(host)).With("kind", model.KindService).At(at))
		if err != nil {
			return "", err
		}
		nodes = append(nodes, more...)
	}
	switch ids := servicesAt(end, host, nodes); len(ids) {
	case 0:
		return "", nil
	case 1:
		return ids[0], nil
	default:
		return "", ambiguous(name, ids)
	}
}

// hostAt is the only host that has an address on an interface, or "".
func hostAt(addr netip.Addr, nodes []model.Node) string {
	hosts := map[string]bool{}
	for _, n := range nodes {
		if list, _ := n.Attrs["addresses"].([]any); n.Kind == model.KindInterface && slices.ContainsFunc(list, func(v any) bool {
			prefix, err := netip.ParsePrefix(fmt.Sprint(v))
			return err == nil && prefix.Addr() == addr
		}) {
			hosts[model.KindHost+":"+model.NodeHost(n.ID)] = true
		}
	}
	if len(hosts) != 1 {
		return ""
	}
	return slices.Collect(maps.Keys(hosts))[0]
}

// servicesAt are the services on an address and port: on the address itself, or on every
// address of its host. Those that listen count before those that ended.
func servicesAt(end netip.AddrPort, host string, nodes []model.Node) (ids []string) {
	for _, listening := range []bool{true, false} {
		for _, n := range nodes {
			addr, err := netip.ParseAddr(fmt.Sprint(n.Attrs["addr"]))
			there := err == nil && (addr == end.Addr() || addr.IsUnspecified() && host == model.KindHost+":"+model.NodeHost(n.ID))
			if n.Kind == model.KindService && there && fmt.Sprint(n.Attrs["port"]) == fmt.Sprint(end.Port()) && (n.Attrs["state"] != model.StateEnded) == listening {
				ids = append(ids, n.ID)
			}
		}
		if len(ids) > 0 {
			break
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
