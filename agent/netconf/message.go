package netconf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"cassini/model"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// errMalformed marks a message that is not what rtnetlink(7) describes.
var errMalformed = errors.New("malformed rtnetlink message")

// link is what a link message tells.
type link struct {
	model.Interface
	master, parent int // indexes; 0 for none
	active         int // slave of a bond
	ether          bool
}

// addr is what an address message tells.
type addr struct {
	index  int
	prefix netip.Prefix
	config model.IPConfig
}

// seen is another machine's address, from the kernel's neighbour table.
type seen struct {
	index  int
	addr   netip.Addr
	mac    string
	router bool
	// unconfirmed is what the kernel had before, and did not use lately.
	unconfirmed bool
}

// learned is an entry of a bridge's forwarding table that frames made.
type learned struct {
	bridge, port int // indexes
	vlan         uint16
	mac          string
}

// message is one notification: one of link, addr, route, rule, seen, learned is
// set.
type message struct {
	gone    bool
	link    *link
	addr    *addr
	route   *route
	rule    *model.Rule
	seen    *seen
	learned *learned
}

// parseMessage decodes a notification; ok is false for one that tells nothing here.
// The library beneath trusts lengths that the kernel wrote; should it be wrong, the
// message is malformed and not the end.
func parseMessage(m syscall.NetlinkMessage) (msg message, ok bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: type %d: %v", errMalformed, m.Header.Type, r)
		}
	}()
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		msg.gone = m.Header.Type == unix.RTM_DELLINK
		msg.link, err = parseLink(m)
		return msg, msg.link != nil, err
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		msg.gone = m.Header.Type == unix.RTM_DELADDR
		msg.addr, err = parseAddr(m.Data)
		return msg, msg.addr != nil, err
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		msg.gone = m.Header.Type == unix.RTM_DELROUTE
		msg.route, err = parseRoute(m)
		return msg, msg.route != nil, err
	case unix.RTM_NEWRULE, unix.RTM_DELRULE:
		msg.gone = m.Header.Type == unix.RTM_DELRULE
		msg.rule, err = parseRule(m.Data)
		return msg, msg.rule != nil, err
	case unix.RTM_NEWNEIGH:
		if len(m.Data) > 0 && m.Data[0] == unix.AF_BRIDGE {
			msg.learned, err = parseForwarding(m.Data)
			return msg, msg.learned != nil, err
		}
		msg.seen, err = parseNeighbour(m.Data, m.Header.Flags&unix.NLM_F_MULTI != 0)
		return msg, msg.seen != nil, err
	}
	return message{}, false, nil
}

// Attributes of a link that the library does not decode (linux/if_link.h).
const (
	iflaCarrier        = 33
	iflaCarrierChanges = 35
)

func parseLink(m syscall.NetlinkMessage) (*link, error) {
	if len(m.Data) < unix.SizeofIfInfomsg {
		return nil, fmt.Errorf("%w: link of %d bytes", errMalformed, len(m.Data))
	}
	if m.Data[0] == unix.AF_BRIDGE {
		return nil, nil // a bridge's own view of a port; the link's own message tells more
	}
	header := unix.NlMsghdr{Len: m.Header.Len, Type: m.Header.Type, Flags: m.Header.Flags, Seq: m.Header.Seq, Pid: m.Header.Pid}
	read, err := netlink.LinkDeserialize(&header, m.Data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	a := read.Attrs()
	l := &link{
		master: a.MasterIndex,
		ether:  a.EncapType == "ether",
		Interface: model.Interface{
			Name: a.Name, Index: a.Index, Address: a.HardwareAddr.String(), AltNames: a.AltNames,
			Kind: read.Type(), Alias: a.Alias, MTU: a.MTU,
			Up: a.RawFlags&unix.IFF_UP != 0, OperState: a.OperState.String(), Promiscuous: a.Promisc != 0,
		},
	}
	if a.NetNsID < 0 { // else the index is another namespace's
		l.parent = a.ParentIndex
	}
	if perm := a.PermHWAddr.String(); perm != l.Address {
		l.PermanentAddress = perm
	}
	l.kind(read)
	return l, l.carrier(m.Data[unix.SizeofIfInfomsg:])
}

// kind takes what only links of a kind have.
func (l *link) kind(read netlink.Link) {
	switch t := read.(type) {
	case *netlink.Vlan:
		l.VLAN = t.VlanId
	case *netlink.Bond:
		l.Bond = &model.Bond{Mode: t.Mode.String()}
		l.active = max(t.ActiveSlave, 0)
	case *netlink.Vxlan:
		l.parent = t.VtepDevIndex
		l.Tunnel = tunnel(t.SrcAddr, t.Group, uint32(t.VxlanId))
	case *netlink.Geneve:
		l.Tunnel = tunnel(nil, t.Remote, t.ID)
	case *netlink.Gretap:
		l.Tunnel = tunnel(t.Local, t.Remote, t.OKey)
	case *netlink.Gretun:
		l.Tunnel = tunnel(t.Local, t.Remote, t.OKey)
	case *netlink.Iptun:
		l.Tunnel = tunnel(t.Local, t.Remote, 0)
	case *netlink.Sittun:
		l.Tunnel = tunnel(t.Local, t.Remote, 0)
	case *netlink.Ip6tnl:
		l.Tunnel = tunnel(t.Local, t.Remote, 0)
	}
}

// tunnel is where a tunnel goes; an address that is not set may be anyone's.
func tunnel(local, remote net.IP, id uint32) *model.Tunnel {
	t := &model.Tunnel{ID: id}
	for _, end := range []struct {
		to   *netip.Addr
		from net.IP
	}{{&t.Local, local}, {&t.Remote, remote}} {
		if addr, ok := netip.AddrFromSlice(end.from); ok && !addr.Unmap().IsUnspecified() {
			*end.to = addr.Unmap()
		}
	}
	return t
}

// carrier reads what the library leaves out.
func (l *link) carrier(attributes []byte) error {
	list, err := nl.ParseRouteAttr(attributes)
	if err != nil {
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	for _, a := range list {
		switch {
		case a.Attr.Type == iflaCarrier && len(a.Value) >= 1:
			l.Carrier = int(a.Value[0])
		case a.Attr.Type == iflaCarrierChanges && len(a.Value) >= 4:
			l.CarrierChanges = binary.NativeEndian.Uint32(a.Value)
		}
	}
	return nil
}

func parseAddr(b []byte) (*addr, error) {
	if len(b) < unix.SizeofIfAddrmsg {
		return nil, fmt.Errorf("%w: address of %d bytes", errMalformed, len(b))
	}
	bits, flags, scope := int(b[1]), uint32(b[2]), b[3]
	list, err := nl.ParseRouteAttr(b[unix.SizeofIfAddrmsg:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	a := &addr{index: int(binary.NativeEndian.Uint32(b[4:8]))}
	var local, address netip.Addr
	for _, attr := range list {
		switch attr.Attr.Type {
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(attr.Value)
		case unix.IFA_ADDRESS:
			address, _ = netip.AddrFromSlice(attr.Value)
		case unix.IFA_BROADCAST:
			a.config.Broadcast = net.IP(attr.Value).String()
		case unix.IFA_LABEL:
			a.config.Label = unix.ByteSliceToString(attr.Value)
		case unix.IFA_FLAGS:
			if len(attr.Value) >= 4 {
				flags = binary.NativeEndian.Uint32(attr.Value)
			}
		}
	}
	if !local.IsValid() {
		local = address
	} else if address.IsValid() && address != local {
		a.config.Peer = address.String()
	}
	a.prefix = netip.PrefixFrom(local, bits)
	if !a.prefix.IsValid() {
		return nil, fmt.Errorf("%w: address %v with a prefix of %d bits", errMalformed, local, bits)
	}
	a.config.Scope = netlink.Scope(scope).String()
	if a.config.Scope == "universe" {
		a.config.Scope = "global" // as ip(8) has it
	}
	a.config.Dynamic = flags&unix.IFA_F_PERMANENT == 0
	a.config.Tentative = flags&unix.IFA_F_TENTATIVE != 0
	a.config.Failed = flags&unix.IFA_F_DADFAILED != 0
	return a, nil
}

func word(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(b)
}
