package netconf

import (
	"errors"
	"net/netip"
	"reflect"
	"syscall"
	"testing"
	"time"

	"cassini/model"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// raw is a message of the kernel's: a fixed part and attributes.
func raw(kind uint16, fixed []byte, attributes ...*nl.RtAttr) syscall.NetlinkMessage {
	for _, a := range attributes {
		fixed = append(fixed, a.Serialize()...)
	}
	return syscall.NetlinkMessage{Header: syscall.NlMsghdr{Type: kind}, Data: fixed}
}

func linkMessage(kind uint16, index int32, flags uint32, attributes ...*nl.RtAttr) syscall.NetlinkMessage {
	info := nl.NewIfInfomsg(unix.AF_UNSPEC)
	info.Index, info.Type, info.Flags = index, unix.ARPHRD_ETHER, flags
	return raw(kind, info.Serialize(), attributes...)
}

func addrMessage(kind uint16, index byte, family, bits byte, attributes ...*nl.RtAttr) syscall.NetlinkMessage {
	return raw(kind, []byte{family, bits, unix.IFA_F_PERMANENT, unix.RT_SCOPE_UNIVERSE, index, 0, 0, 0}, attributes...)
}

func routeMessage(kind uint16, bits, table byte, attributes ...*nl.RtAttr) syscall.NetlinkMessage {
	return raw(kind, []byte{unix.AF_INET, bits, 0, 0, table, 0, 0, unix.RTN_UNICAST, 0, 0, 0, 0}, attributes...)
}

func attr(kind int, value []byte) *nl.RtAttr { return nl.NewRtAttr(kind, value) }
func number(n uint32) []byte                 { return nl.Uint32Attr(n) }
func octets(text string) []byte              { return netip.MustParseAddr(text).AsSlice() }

func eth0(kind uint16, flags uint32, more ...*nl.RtAttr) syscall.NetlinkMessage {
	return linkMessage(kind, 2, flags, append([]*nl.RtAttr{
		attr(unix.IFLA_IFNAME, nl.ZeroTerminated("eth0")), attr(unix.IFLA_MTU, number(9000)),
		attr(unix.IFLA_ADDRESS, []byte{2, 0, 0, 0, 0, 1}), attr(iflaCarrier, []byte{1}), attr(iflaCarrierChanges, number(5)),
	}, more...)...)
}

func apply(t *testing.T, table *table, messages ...syscall.NetlinkMessage) {
	t.Helper()
	for _, m := range messages {
		parsed, ok, err := parseMessage(m)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			table.apply(parsed)
		}
	}
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestTableFollowsMessages(t *testing.T) {
	table := newTable("blue")
	expect := func(what string, want ...model.Interface) {
		t.Helper()
		if got := table.moved(noon); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
		}
	}
	apply(t, table,
		eth0(unix.RTM_NEWLINK, unix.IFF_UP),
		addrMessage(unix.RTM_NEWADDR, 2, unix.AF_INET, 24, attr(unix.IFA_LOCAL, octets("10.0.0.5")), attr(unix.IFA_ADDRESS, octets("10.0.0.5")), attr(unix.IFA_BROADCAST, octets("10.0.0.255"))),
		routeMessage(unix.RTM_NEWROUTE, 0, unix.RT_TABLE_MAIN, attr(unix.RTA_OIF, number(2)), attr(unix.RTA_GATEWAY, octets("10.0.0.1"))),
		routeMessage(unix.RTM_NEWROUTE, 8, unix.RT_TABLE_MAIN, attr(unix.RTA_OIF, number(2)), attr(unix.RTA_GATEWAY, octets("10.0.0.2"))),
		routeMessage(unix.RTM_NEWROUTE, 0, 100, attr(unix.RTA_OIF, number(2)), attr(unix.RTA_GATEWAY, octets("10.0.0.3"))),
	)
	want := model.Interface{
		Name: "eth0", Index: 2, Netns: "blue", Address: "02:00:00:00:00:01", Kind: "device", MTU: 9000, Up: true,
		OperState: "unknown", Carrier: 1, CarrierChanges: 5, State: model.InterfacePresent,
		DefaultGateways: []netip.Addr{netip.MustParseAddr("10.0.0.1")},
		Addresses:       map[string]model.IPConfig{"10.0.0.5/24": {Broadcast: "10.0.0.255", Scope: "global"}},
	}
	expect("new", want)
	apply(t, table, eth0(unix.RTM_NEWLINK, unix.IFF_UP))
	expect("the same again")
	apply(t, table, addrMessage(unix.RTM_DELADDR, 2, unix.AF_INET, 24, attr(unix.IFA_LOCAL, octets("10.0.0.5"))))
	want.Addresses = nil
	expect("without its address", want)
	apply(t, table, eth0(unix.RTM_NEWLINK, 0))
	want.Up, want.DefaultGateways = false, nil
	expect("down, and its routes with it", want)
	table.forget()
	apply(t, table, eth0(unix.RTM_NEWLINK, 0))
	expect("read anew")
	table.forget()
	gone := want
	gone.State, gone.Ended, gone.OperState, gone.Carrier = model.InterfaceGone, noon, "notpresent", 0
	expect("not there when read anew", gone)
	apply(t, table, eth0(unix.RTM_NEWLINK, 0))
	expect("back", want)
	apply(t, table, eth0(unix.RTM_NEWLINK, 0, attr(unix.IFLA_IFNAME, nl.ZeroTerminated("lan0"))))
	renamed := want
	renamed.Name = "lan0"
	expect("renamed", gone, renamed)
	gone.Name = "lan0"
	apply(t, table, eth0(unix.RTM_DELLINK, 0))
	expect("gone", gone)
}

func TestAttributesOfAddresses(t *testing.T) {
	for _, c := range []struct {
		name   string
		m      syscall.NetlinkMessage
		prefix string
		want   model.IPConfig
	}{
		{"point to point", addrMessage(unix.RTM_NEWADDR, 2, unix.AF_INET, 32, attr(unix.IFA_LOCAL, octets("10.0.0.1")), attr(unix.IFA_ADDRESS, octets("10.0.0.2"))),
			"10.0.0.1/32", model.IPConfig{Scope: "global", Peer: "10.0.0.2"}},
		{"IPv6 under detection", addrMessage(unix.RTM_NEWADDR, 2, unix.AF_INET6, 64, attr(unix.IFA_ADDRESS, octets("2001:db8::1")), attr(unix.IFA_FLAGS, number(unix.IFA_F_TENTATIVE))),
			"2001:db8::1/64", model.IPConfig{Scope: "global", Dynamic: true, Tentative: true}},
		{"duplicate", addrMessage(unix.RTM_NEWADDR, 2, unix.AF_INET6, 64, attr(unix.IFA_ADDRESS, octets("2001:db8::1")), attr(unix.IFA_FLAGS, number(unix.IFA_F_PERMANENT|unix.IFA_F_DADFAILED))),
			"2001:db8::1/64", model.IPConfig{Scope: "global", Failed: true}},
	} {
		m, ok, err := parseMessage(c.m)
		if err != nil || !ok || m.addr.prefix.String() != c.prefix || m.addr.config != c.want {
			t.Errorf("%s: %+v, %v, %v", c.name, m.addr, ok, err)
		}
	}
}

func TestMultipathGateways(t *testing.T) {
	way := func(index byte, via string) []byte {
		gateway := attr(unix.RTA_GATEWAY, octets(via)).Serialize()
		return append([]byte{byte(8 + len(gateway)), 0, 0, 0, index, 0, 0, 0}, gateway...)
	}
	hops := append(way(2, "10.0.0.1"), way(3, "10.1.0.1")...)
	m, ok, err := parseMessage(routeMessage(unix.RTM_NEWROUTE, 0, unix.RT_TABLE_MAIN, attr(unix.RTA_MULTIPATH, hops), attr(unix.RTA_PRIORITY, number(7))))
	if err != nil || !ok || len(m.route.hops) != 2 || m.route.priority != 7 {
		t.Fatalf("%+v, %v, %v", m, ok, err)
	}
	if want := (hop{via: netip.MustParseAddr("10.1.0.1"), index: 3}); m.route.hops[1] != want {
		t.Errorf("second hop %+v, want %+v", m.route.hops[1], want)
	}
}

// neighbourMessage is struct ndmsg with an address and its hardware address.
func neighbourMessage(addr string, state byte, mac ...byte) syscall.NetlinkMessage {
	family := byte(unix.AF_INET)
	if netip.MustParseAddr(addr).Is6() {
		family = unix.AF_INET6
	}
	return raw(unix.RTM_NEWNEIGH, []byte{family, 0, 0, 0, 2, 0, 0, 0, state, 0, 0, 0}, attr(unix.NDA_DST, octets(addr)), attr(unix.NDA_LLADDR, mac))
}

func TestOnlyWhoAnsweredIsSeen(t *testing.T) {
	mac := []byte{2, 0, 0, 0, 0, 9}
	for _, c := range []struct {
		name string
		m    syscall.NetlinkMessage
		want bool
	}{
		{"reachable", neighbourMessage("10.0.0.9", unix.NUD_REACHABLE, mac...), true},
		{"stale", neighbourMessage("2001:db8::9", unix.NUD_STALE, mac...), true},
		{"did not answer", neighbourMessage("10.0.0.9", unix.NUD_INCOMPLETE), false},
		{"may be elsewhere", neighbourMessage("10.0.0.9", unix.NUD_DELAY, mac...), false},
		{"is asked after", neighbourMessage("10.0.0.9", unix.NUD_PROBE, mac...), false},
		{"failed", neighbourMessage("10.0.0.9", unix.NUD_FAILED, mac...), false},
		{"put there by hand", neighbourMessage("10.0.0.9", unix.NUD_PERMANENT, mac...), false},
		{"needs none", neighbourMessage("10.0.0.9", unix.NUD_NOARP, mac...), false},
		{"multicast", neighbourMessage("ff02::1", unix.NUD_STALE, mac...), false},
		{"no Ethernet", neighbourMessage("10.0.0.9", unix.NUD_STALE, 1, 2, 3, 4), false},
	} {
		m, ok, err := parseMessage(c.m)
		if err != nil || ok != c.want || ok && (m.seen.mac != "02:00:00:00:00:09" || m.seen.index != 2) {
			t.Errorf("%s: %+v, %v, %v", c.name, m.seen, ok, err)
		}
	}
}

// What is stale in the kernel's table may be so for hours; who goes stale now has answered.
func TestWhatIsStaleInTheTableIsUnconfirmed(t *testing.T) {
	for _, c := range []struct {
		name   string
		state  byte
		listed bool
		want   bool
	}{
		{"stale in the table", unix.NUD_STALE, true, true},
		{"reachable in the table", unix.NUD_REACHABLE, true, false},
		{"stale by now", unix.NUD_STALE, false, false},
	} {
		raw := neighbourMessage("10.0.0.9", c.state, 2, 0, 0, 0, 0, 9)
		if c.listed {
			raw.Header.Flags |= unix.NLM_F_MULTI
		}
		if m, ok, err := parseMessage(raw); err != nil || !ok || m.seen.unconfirmed != c.want {
			t.Errorf("%s: %+v, %v, %v", c.name, m.seen, ok, err)
		}
	}
}

// forwardingMessage is what a bridge tells of a hardware address.
func forwardingMessage(state byte, attributes ...*nl.RtAttr) syscall.NetlinkMessage {
	return raw(unix.RTM_NEWNEIGH, []byte{unix.AF_BRIDGE, 0, 0, 0, 7, 0, 0, 0, state, 0, 0, 0}, attributes...)
}

func TestOnlyWhatABridgeLearned(t *testing.T) {
	mac, bridge := attr(unix.NDA_LLADDR, []byte{2, 0, 0, 0, 0, 9}), attr(unix.NDA_MASTER, []byte{3, 0, 0, 0})
	for _, c := range []struct {
		name string
		m    syscall.NetlinkMessage
		want *learned
	}{
		{"learned", forwardingMessage(unix.NUD_REACHABLE, mac, bridge), &learned{bridge: 3, port: 7, mac: "02:00:00:00:00:09"}},
		{"in a VLAN", forwardingMessage(unix.NUD_STALE, mac, bridge, attr(unix.NDA_VLAN, []byte{30, 0})), &learned{bridge: 3, port: 7, vlan: 30, mac: "02:00:00:00:00:09"}},
		{"the bridge's own", forwardingMessage(unix.NUD_PERMANENT, mac, bridge), nil},
		{"put there by hand", forwardingMessage(unix.NUD_NOARP, mac, bridge), nil},
		{"a card's filter", forwardingMessage(unix.NUD_REACHABLE, mac), nil},
		{"of the bridge itself", forwardingMessage(unix.NUD_REACHABLE, mac, attr(unix.NDA_MASTER, []byte{7, 0, 0, 0})), nil},
		{"of no machine", forwardingMessage(unix.NUD_REACHABLE, bridge), nil},
	} {
		m, ok, err := parseMessage(c.m)
		if err != nil || ok != (c.want != nil) || ok && *m.learned != *c.want {
			t.Errorf("%s: %+v, %v, %v", c.name, m.learned, ok, err)
		}
	}
	short := forwardingMessage(unix.NUD_REACHABLE, mac, bridge)
	short.Data = short.Data[:8]
	if _, _, err := parseMessage(short); !errors.Is(err, errMalformed) {
		t.Errorf("cut: %v", err)
	}
}

func FuzzParseMessage(f *testing.F) {
	for _, m := range []syscall.NetlinkMessage{
		eth0(unix.RTM_NEWLINK, unix.IFF_UP),
		addrMessage(unix.RTM_NEWADDR, 2, unix.AF_INET, 24, attr(unix.IFA_LOCAL, octets("10.0.0.5"))),
		routeMessage(unix.RTM_NEWROUTE, 0, unix.RT_TABLE_MAIN, attr(unix.RTA_MULTIPATH, []byte{8, 0, 0, 0, 2, 0, 0, 0})),
		neighbourMessage("10.0.0.9", unix.NUD_STALE, 2, 0, 0, 0, 0, 9),
		forwardingMessage(unix.NUD_STALE, attr(unix.NDA_LLADDR, []byte{2, 0, 0, 0, 0, 9}), attr(unix.NDA_MASTER, []byte{3, 0, 0, 0})),
	} {
		f.Add(m.Header.Type, m.Data)
	}
	f.Fuzz(func(t *testing.T, kind uint16, data []byte) {
		table := newTable("")
		m, ok, err := parseMessage(syscall.NetlinkMessage{Header: syscall.NlMsghdr{Type: kind}, Data: data})
		if err != nil && !errors.Is(err, errMalformed) {
			t.Errorf("error is %v", err)
		}
		if ok && err == nil && m.seen != nil {
			table.meet(*m.seen)
		} else if ok && err == nil && m.learned != nil {
			table.forwards(*m.learned)
		} else if ok && err == nil {
			table.apply(m)
			table.moved(noon)
		}
	})
}
