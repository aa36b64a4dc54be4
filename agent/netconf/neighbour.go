package netconf

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// parseNeighbour reads struct ndmsg (linux/neighbour.h) of an address that answered
// for itself. What did not, what is multicast, and what the administrator or a bridge
// put there is left out; so is what the kernel asks after, since it may be elsewhere now. listed
// says that the message is of the whole table: what is stale there may be so for hours.
func parseNeighbour(b []byte, listed bool) (*seen, error) {
	if len(b) < unix.SizeofNdMsg {
		return nil, fmt.Errorf("%w: neighbour of %d bytes", errMalformed, len(b))
	}
	family, state, flags := b[0], binary.NativeEndian.Uint16(b[8:]), b[10]
	const answered = unix.NUD_REACHABLE | unix.NUD_STALE
	if family != unix.AF_INET && family != unix.AF_INET6 || state&answered == 0 {
		return nil, nil
	}
	list, err := nl.ParseRouteAttr(b[unix.SizeofNdMsg:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	s := &seen{index: int(int32(binary.NativeEndian.Uint32(b[4:]))), router: flags&unix.NTF_ROUTER != 0, unconfirmed: listed && state&unix.NUD_REACHABLE == 0}
	for _, a := range list {
		switch a.Attr.Type {
		case unix.NDA_DST:
			s.addr, _ = netip.AddrFromSlice(a.Value)
		case unix.NDA_LLADDR:
			if len(a.Value) == 6 {
				s.mac = net.HardwareAddr(a.Value).String()
			}
		}
	}
	if !s.addr.IsValid() || s.addr.IsMulticast() || s.mac == "" {
		return nil, nil
	}
	return s, nil
}

// parseForwarding reads an entry of a bridge's forwarding table: what a frame that
// came in by a port told of its sender. Entries of the bridge itself, of the
// administrator and of a card's own filter are left out.
func parseForwarding(b []byte) (*learned, error) {
	if len(b) < unix.SizeofNdMsg {
		return nil, fmt.Errorf("%w: forwarding entry of %d bytes", errMalformed, len(b))
	}
	state := binary.NativeEndian.Uint16(b[8:])
	if state&(unix.NUD_REACHABLE|unix.NUD_STALE|unix.NUD_DELAY|unix.NUD_PROBE) == 0 {
		return nil, nil
	}
	list, err := nl.ParseRouteAttr(b[unix.SizeofNdMsg:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	l := &learned{port: int(int32(binary.NativeEndian.Uint32(b[4:])))}
	for _, a := range list {
		switch a.Attr.Type {
		case unix.NDA_LLADDR:
			if len(a.Value) == 6 {
				l.mac = net.HardwareAddr(a.Value).String()
			}
		case unix.NDA_MASTER:
			l.bridge = int(word(a.Value))
		case unix.NDA_VLAN:
			if len(a.Value) >= 2 {
				l.vlan = binary.NativeEndian.Uint16(a.Value)
			}
		}
	}
	if l.mac == "" || l.bridge == 0 || l.port == l.bridge {
		return nil, nil
	}
	return l, nil
}
