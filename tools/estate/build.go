package estate

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// Interfaces. A router's and a switch's ports have the name of what is behind them.
const (
	eth0       = "eth0" // of a host
	bridgeName = "br0"  // of a switch
	uplink     = "uplink"
)

// address is the nth of segment s: 0 is the manager's, s is switch s.
func address(s, n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 77, byte(s), byte(n)}) }

const (
	routerAt  = 1
	managerAt = 10
	hostsFrom = 10 // host M has 10+M
)

func (e *Estate) build() (err error) {
	if e.core, err = e.add(coreName); err != nil {
		return err
	}
	if err := e.core.thread.do(func() error { return setting("ipv4/ip_forward", "1") }); err != nil {
		return fmt.Errorf("forward in %s: %w", e.core.name, err)
	}
	for s := range e.config.Switches {
		if err := e.addSwitch(s + 1); err != nil {
			return err
		}
	}
	return e.addManager()
}

func (e *Estate) add(name string) (*node, error) {
	n, err := newNode(e.config.Prefix+"-"+name, name)
	if err != nil {
		return nil, err
	}
	e.nodes = append(e.nodes, n)
	return n, nil
}

func (e *Estate) addSwitch(number int) error {
	name := fmt.Sprintf("s%d", number)
	sw, err := e.add(name)
	if err != nil {
		return err
	}
	e.bridges[number] = sw
	if err := sw.addBridge(); err != nil {
		return err
	}
	if err := cable(e.core, name, sw, uplink); err != nil {
		return err
	}
	if err := e.core.address(name, address(number, routerAt)); err != nil {
		return err
	}
	if err := sw.plug(uplink); err != nil {
		return err
	}
	for h := range e.config.HostsPerSwitch {
		port := fmt.Sprintf("h%d", h+1)
		if err := e.addHost(name+"-"+port, number, hostsFrom+h+1, sw, port); err != nil {
			return err
		}
		if err := sw.plug(port); err != nil {
			return err
		}
	}
	return nil
}

func (e *Estate) addManager() error {
	if err := e.addHost(managerName, 0, managerAt, e.core, managerName); err != nil {
		return err
	}
	return e.core.address(managerName, address(0, routerAt))
}

// addHost makes a host whose cable ends in a port of at, which is left as it is.
func (e *Estate) addHost(name string, segment, number int, at *node, port string) error {
	n, err := e.add(name)
	if err != nil {
		return err
	}
	h := &host{node: n, at: at, port: port, Host: Host{
		Name: name, Switch: segment, Addr: address(segment, number), Gateway: address(segment, routerAt), Namespace: n.name, Path: n.path,
	}}
	if err := cable(at, port, n, eth0); err != nil {
		return err
	}
	if err := n.address(eth0, h.Addr); err != nil {
		return err
	}
	if err := h.route(); err != nil {
		return err
	}
	e.hosts = append(e.hosts, h)
	e.byName[name] = h
	return nil
}

// cable connects two namespaces.
func cable(a *node, aName string, b *node, bName string) error {
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: aName}, PeerName: bName, PeerNamespace: netlink.NsFd(b.file.Fd())}
	if err := a.links.LinkAdd(veth); err != nil {
		return fmt.Errorf("connect %s of %s and %s of %s: %w", aName, a.name, bName, b.name, err)
	}
	return nil
}

func (n *node) addBridge() error {
	snoop := false
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridgeName}, MulticastSnooping: &snoop}
	if err := n.links.LinkAdd(bridge); err != nil {
		return fmt.Errorf("make %s of %s: %w", bridgeName, n.name, err)
	}
	return n.up(bridgeName)
}

// plug makes an interface a port of the switch's bridge, and brings it up.
func (n *node) plug(port string) error {
	link, err := n.link(port)
	if err != nil {
		return err
	}
	bridge, err := n.link(bridgeName)
	if err != nil {
		return err
	}
	if err := n.links.LinkSetMaster(link, bridge); err != nil {
		return fmt.Errorf("plug %s into %s of %s: %w", port, bridgeName, n.name, err)
	}
	return n.up(port)
}

// address gives an interface its address, and brings it up.
func (n *node) address(name string, addr netip.Addr) error {
	link, err := n.link(name)
	if err != nil {
		return err
	}
	if err := n.links.AddrAdd(link, &netlink.Addr{IPNet: &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(24, 32)}}); err != nil {
		return fmt.Errorf("give %s of %s the address %v: %w", name, n.name, addr, err)
	}
	return n.up(name)
}

// route makes the router the host's gateway. The kernel forgets that when eth0 goes down.
func (h *host) route() error {
	link, err := h.node.link(eth0)
	if err != nil {
		return err
	}
	if err := h.node.links.RouteReplace(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: h.Gateway.AsSlice()}); err != nil {
		return fmt.Errorf("route %s over %v: %w", h.Name, h.Gateway, err)
	}
	return nil
}

func (n *node) link(name string) (netlink.Link, error) {
	link, err := n.links.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("find %s of %s: %w", name, n.name, err)
	}
	return link, nil
}

func (n *node) up(name string) error {
	link, err := n.link(name)
	if err != nil {
		return err
	}
	if err := n.links.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring %s of %s up: %w", name, n.name, err)
	}
	return nil
}

func (n *node) down(name string) error {
	link, err := n.link(name)
	if err != nil {
		return err
	}
	if err := n.links.LinkSetDown(link); err != nil {
		return fmt.Errorf("bring %s of %s down: %w", name, n.name, err)
	}
	return nil
}
