package netconf

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"cassini/model"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// routeKey tells routes apart as the kernel does (ip-route(8)).
type routeKey struct {
	table, priority uint32
	tos             byte
	dst             netip.Prefix
}

// hop is one way of a route.
type hop struct {
	index int
	via   netip.Addr
}

// route is what a message tells of a route.
type route struct {
	routeKey
	proto, scope, kind byte
	source             netip.Addr
	hops               []hop
	replaces           bool // what was there under the same key
}

// isDefault says whether it is a way out for everything.
func (r *route) isDefault() bool {
	return r.dst.Bits() == 0 && r.kind == unix.RTN_UNICAST && r.table == unix.RT_TABLE_MAIN
}

// parseRoute reads struct rtmsg (rtnetlink(7)). Routes to addresses of the host itself
// and of links alone are left out.
func parseRoute(m syscall.NetlinkMessage) (*route, error) {
	b := m.Data
	if len(b) < unix.SizeofRtMsg {
		return nil, fmt.Errorf("%w: route of %d bytes", errMalformed, len(b))
	}
	family, bits, flags := b[0], int(b[1]), binary.NativeEndian.Uint32(b[8:])
	r := &route{proto: b[5], scope: b[6], kind: b[7], replaces: m.Header.Flags&unix.NLM_F_REPLACE != 0}
	r.tos, r.table = b[3], uint32(b[4])
	any := netip.IPv4Unspecified()
	if family == unix.AF_INET6 {
		any = netip.IPv6Unspecified()
	} else if family != unix.AF_INET {
		return nil, nil
	}
	list, err := nl.ParseRouteAttr(b[unix.SizeofRtMsg:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	one, dst := hop{}, any
	for _, a := range list {
		switch a.Attr.Type {
		case unix.RTA_TABLE:
			r.table = word(a.Value)
		case unix.RTA_PRIORITY:
			r.priority = word(a.Value)
		case unix.RTA_DST:
			dst, _ = netip.AddrFromSlice(a.Value)
		case unix.RTA_PREFSRC:
			r.source, _ = netip.AddrFromSlice(a.Value)
		case unix.RTA_OIF:
			one.index = int(word(a.Value))
		case unix.RTA_GATEWAY, unix.RTA_VIA:
			one.via = gatewayOf(a)
		case unix.RTA_MULTIPATH:
			if r.hops, err = parseHops(a.Value); err != nil {
				return nil, err
			}
		}
	}
	if r.dst = netip.PrefixFrom(dst, bits); !r.dst.IsValid() {
		return nil, fmt.Errorf("%w: route to %v/%d", errMalformed, dst, bits)
	}
	if flags&unix.RTM_F_CLONED != 0 || r.hidden() {
		return nil, nil
	}
	if r.hops == nil && one != (hop{}) && flags&unix.RTNH_F_DEAD == 0 {
		r.hops = []hop{one}
	}
	return r, nil
}

// hidden are routes that say no more than the host's addresses do.
func (r *route) hidden() bool {
	switch r.kind {
	case unix.RTN_LOCAL, unix.RTN_BROADCAST, unix.RTN_ANYCAST, unix.RTN_MULTICAST:
		return true
	}
	addr := r.dst.Addr()
	return r.table == unix.RT_TABLE_LOCAL || addr.IsMulticast() || addr.IsLinkLocalUnicast() && r.proto == unix.RTPROT_KERNEL
}

// gatewayOf reads RTA_GATEWAY, or RTA_VIA: an address of another family.
func gatewayOf(a syscall.NetlinkRouteAttr) netip.Addr {
	value := a.Value
	if a.Attr.Type == unix.RTA_VIA {
		value = value[min(2, len(value)):]
	}
	via, _ := netip.AddrFromSlice(value)
	return via
}

// parseHops reads the next hops of a multipath route that live: struct rtnexthop each.
func parseHops(b []byte) (hops []hop, err error) {
	for len(b) >= unix.SizeofRtNexthop {
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofRtNexthop || size > len(b) {
			return nil, fmt.Errorf("%w: next hop of %d bytes", errMalformed, size)
		}
		h := hop{index: int(int32(binary.NativeEndian.Uint32(b[4:])))}
		list, err := nl.ParseRouteAttr(b[unix.SizeofRtNexthop:size])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errMalformed, err)
		}
		for _, a := range list {
			if a.Attr.Type == unix.RTA_GATEWAY || a.Attr.Type == unix.RTA_VIA {
				h.via = gatewayOf(a)
			}
		}
		if b[2]&unix.RTNH_F_DEAD == 0 {
			hops = append(hops, h)
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return hops, nil
}

// Names of rtnetlink's numbers (linux/rtnetlink.h).
var (
	routeTypes = map[byte]string{unix.RTN_UNICAST: "unicast", unix.RTN_BLACKHOLE: "blackhole", unix.RTN_UNREACHABLE: "unreachable",
		unix.RTN_PROHIBIT: "prohibit", unix.RTN_THROW: "throw", unix.RTN_NAT: "nat"}
	routeProtocols = map[byte]string{unix.RTPROT_REDIRECT: "redirect", unix.RTPROT_KERNEL: "kernel", unix.RTPROT_BOOT: "boot",
		unix.RTPROT_STATIC: "static", unix.RTPROT_RA: "ra", unix.RTPROT_DHCP: "dhcp", unix.RTPROT_KEEPALIVED: "keepalived",
		unix.RTPROT_GATED: "gated", unix.RTPROT_ZEBRA: "zebra", unix.RTPROT_BIRD: "bird", unix.RTPROT_BABEL: "babel",
		unix.RTPROT_BGP: "bgp", unix.RTPROT_ISIS: "isis", unix.RTPROT_OSPF: "ospf", unix.RTPROT_RIP: "rip", unix.RTPROT_EIGRP: "eigrp"}
)

// byDaemon are routes that a routing protocol brings, by the thousand and all the
// time.
func byDaemon(proto byte) bool {
	switch proto {
	case unix.RTPROT_GATED, unix.RTPROT_ZEBRA, unix.RTPROT_BIRD, unix.RTPROT_BABEL, unix.RTPROT_BGP, unix.RTPROT_ISIS, unix.RTPROT_OSPF, unix.RTPROT_RIP, unix.RTPROT_EIGRP:
		return true
	}
	return false
}

func tableName(table uint32) string {
	switch table {
	case unix.RT_TABLE_MAIN:
		return "main"
	case unix.RT_TABLE_DEFAULT:
		return "default"
	case unix.RT_TABLE_LOCAL:
		return "local"
	}
	return strconv.FormatUint(uint64(table), 10)
}

func orNumber(names map[byte]string, n byte) string {
	if name := names[n]; name != "" {
		return name
	}
	return strconv.Itoa(int(n))
}

// parseRule reads struct fib_rule_hdr (linux/fib_rules.h). The rules that every
// namespace has are left out.
func parseRule(b []byte) (*model.Rule, error) {
	if len(b) < unix.SizeofRtMsg {
		return nil, fmt.Errorf("%w: rule of %d bytes", errMalformed, len(b))
	}
	families := map[byte]string{unix.AF_INET: "inet", unix.AF_INET6: "inet6"}
	r := &model.Rule{Family: families[b[0]]}
	if r.Family == "" {
		return nil, nil
	}
	list, err := nl.ParseRouteAttr(b[unix.SizeofRtMsg:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	text := ruleText{toBits: int(b[1]), fromBits: int(b[2]), tos: b[3], table: uint32(b[4]), action: b[7], not: binary.NativeEndian.Uint32(b[8:])&unix.FIB_RULE_INVERT != 0}
	for _, a := range list {
		if a.Attr.Type == nl.FRA_PRIORITY {
			r.Priority = word(a.Value)
		} else {
			text.read(a)
		}
	}
	r.Text = text.String()
	if everywhere := map[uint32]string{0: "from all lookup local", 32766: "from all lookup main", 32767: "from all lookup default"}; everywhere[r.Priority] == r.Text {
		return nil, nil
	}
	return r, nil
}

// ruleText is what a rule selects and does.
type ruleText struct {
	from, to         netip.Addr
	fromBits, toBits int
	tos, action      byte
	table, goesTo    uint32
	mark, mask       uint32
	in, out          string
	not              bool
}

func (t *ruleText) read(a syscall.NetlinkRouteAttr) {
	switch a.Attr.Type {
	case nl.FRA_SRC:
		t.from, _ = netip.AddrFromSlice(a.Value)
	case nl.FRA_DST:
		t.to, _ = netip.AddrFromSlice(a.Value)
	case nl.FRA_IIFNAME:
		t.in = unix.ByteSliceToString(a.Value)
	case nl.FRA_OIFNAME:
		t.out = unix.ByteSliceToString(a.Value)
	case nl.FRA_FWMARK:
		t.mark = word(a.Value)
	case nl.FRA_FWMASK:
		t.mask = word(a.Value)
	case nl.FRA_TABLE:
		t.table = word(a.Value)
	case nl.FRA_GOTO:
		t.goesTo = word(a.Value)
	}
}

// String writes the rule as ip-rule(8) does.
func (t *ruleText) String() string {
	var words []string
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if t.not {
		add("not")
	}
	if t.from.IsValid() {
		add("from %s", netip.PrefixFrom(t.from, t.fromBits))
	} else {
		add("from all")
	}
	if t.to.IsValid() {
		add("to %s", netip.PrefixFrom(t.to, t.toBits))
	}
	if t.tos != 0 {
		add("tos %#x", t.tos)
	}
	if t.mark != 0 || t.mask != 0 {
		add("fwmark %#x/%#x", t.mark, t.mask)
	}
	if t.in != "" {
		add("iif %s", t.in)
	}
	if t.out != "" {
		add("oif %s", t.out)
	}
	switch t.action {
	case nl.FR_ACT_TO_TBL:
		add("lookup %s", tableName(t.table))
	case nl.FR_ACT_GOTO:
		add("goto %d", t.goesTo)
	case nl.FR_ACT_BLACKHOLE:
		add("blackhole")
	case nl.FR_ACT_UNREACHABLE:
		add("unreachable")
	case nl.FR_ACT_PROHIBIT:
		add("prohibit")
	default:
		add("action %d", t.action)
	}
	return strings.Join(words, " ")
}

// describeRoute is the route as others know it.
func describeRoute(netns string, key routeKey, r kept, name func(int) string) model.Route {
	d := model.Route{
		Netns: netns, Table: tableName(key.table), Destination: key.dst, Metric: key.priority, TOS: key.tos,
		Type: orNumber(routeTypes, r.kind), Protocol: orNumber(routeProtocols, r.proto), Source: r.source,
	}
	if d.Scope = netlink.Scope(r.scope).String(); d.Scope == "universe" {
		d.Scope = "global" // as ip(8) has it
	}
	for _, h := range r.sorted() {
		d.Hops = append(d.Hops, model.Hop{Via: h.via, Interface: name(h.index)})
	}
	return d
}
