package netconf

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"cassini/model"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// to is a message of a route to 10.0.0.0/8 in the main table.
func to(kind uint16, flags uint16, proto byte, attributes ...*nl.RtAttr) syscall.NetlinkMessage {
	m := raw(kind, []byte{unix.AF_INET, 8, 0, 0, unix.RT_TABLE_MAIN, proto, unix.RT_SCOPE_UNIVERSE, unix.RTN_UNICAST, 0, 0, 0, 0},
		append(attributes, attr(unix.RTA_DST, octets("10.0.0.0")))...)
	m.Header.Flags = flags
	return m
}

func via(addr string) *nl.RtAttr   { return attr(unix.RTA_GATEWAY, octets(addr)) }
func by(index uint32) *nl.RtAttr   { return attr(unix.RTA_OIF, number(index)) }
func metric(n uint32) *nl.RtAttr   { return attr(unix.RTA_PRIORITY, number(n)) }
func named(index int) string       { return fmt.Sprint("eth", index) }
func texts(list []change) []string { return textsAt(list, time.Time{}) }

// textsAt writes changes for comparing; since is the beginning that they must have.
func textsAt(list []change, since time.Time) (lines []string) {
	for _, c := range list {
		switch r := c.body.(type) {
		case nil:
			lines = append(lines, "no "+c.key)
		case model.Route:
			lines = append(lines, fmt.Sprintf("%s %s %v", c.key, r.Protocol, r.Hops))
			if !r.Since.Equal(since) {
				lines = append(lines, "since "+r.Since.String())
			}
		case model.Rule:
			lines = append(lines, c.key)
		}
	}
	return lines
}

func TestRoutesFollow(t *testing.T) {
	table := newTable("")
	expect := func(what string, want ...string) {
		t.Helper()
		if got := texts(table.routes.moved(named, true, noon)); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	const key = "main/10.0.0.0/8/100"
	apply(t, table, to(unix.RTM_NEWROUTE, 0, unix.RTPROT_STATIC, via("192.168.0.1"), by(2), metric(100)))
	expect("new", key+" static [{192.168.0.1 eth2}]")
	apply(t, table, to(unix.RTM_NEWROUTE, 0, unix.RTPROT_STATIC, via("192.168.0.1"), by(2), metric(100)))
	expect("again")
	apply(t, table, to(unix.RTM_NEWROUTE, 0, unix.RTPROT_STATIC, via("192.168.0.2"), by(3), metric(100)))
	expect("one more way", key+" static [{192.168.0.1 eth2} {192.168.0.2 eth3}]")
	apply(t, table, to(unix.RTM_DELROUTE, 0, unix.RTPROT_STATIC, via("192.168.0.1"), by(2), metric(100)))
	expect("one way less", key+" static [{192.168.0.2 eth3}]")
	apply(t, table, to(unix.RTM_NEWROUTE, unix.NLM_F_REPLACE, unix.RTPROT_STATIC, via("192.168.0.3"), by(2), metric(100)))
	expect("replaced", key+" static [{192.168.0.3 eth2}]")
	apply(t, table, to(unix.RTM_NEWROUTE, 0, unix.RTPROT_STATIC, via("192.168.0.9"), by(2)))
	expect("another metric", "main/10.0.0.0/8/0 static [{192.168.0.9 eth2}]")
	apply(t, table, to(unix.RTM_DELROUTE, 0, unix.RTPROT_STATIC, via("192.168.0.3"), by(2), metric(100)))
	expect("gone", "no "+key)
	table.routes.down(2)
	expect("its link is down", "no main/10.0.0.0/8/0")
	if !table.routes.stale {
		t.Error("routes are not read anew after a link went down")
	}
	apply(t, table, to(unix.RTM_NEWROUTE, 0, unix.RTPROT_BGP, via("192.168.0.1"), by(2)))
	expect("of a routing daemon")
	if table.routes.unkept != 1 {
		t.Errorf("%d not kept", table.routes.unkept)
	}
	apply(t, table, to(unix.RTM_NEWROUTE, 0, unix.RTPROT_DHCP, via("192.168.0.1"), by(2)))
	if got := textsAt(table.routes.moved(named, false, noon), noon); len(got) != 1 {
		t.Errorf("came later: %q", got)
	}
}

func TestHiddenRoutes(t *testing.T) {
	header := func(family, bits, table, proto, kind byte, flags uint16) []byte {
		return []byte{family, bits, 0, 0, table, proto, 0, kind, byte(flags), byte(flags >> 8), 0, 0}
	}
	for name, m := range map[string]syscall.NetlinkMessage{
		"local":      raw(unix.RTM_NEWROUTE, header(unix.AF_INET, 32, unix.RT_TABLE_LOCAL, 2, unix.RTN_LOCAL, 0), attr(unix.RTA_DST, octets("10.0.0.5"))),
		"broadcast":  raw(unix.RTM_NEWROUTE, header(unix.AF_INET, 32, unix.RT_TABLE_LOCAL, 2, unix.RTN_BROADCAST, 0), attr(unix.RTA_DST, octets("10.0.0.255"))),
		"cached":     raw(unix.RTM_NEWROUTE, header(unix.AF_INET, 32, unix.RT_TABLE_MAIN, 2, unix.RTN_UNICAST, unix.RTM_F_CLONED), attr(unix.RTA_DST, octets("10.0.0.9"))),
		"link-local": raw(unix.RTM_NEWROUTE, header(unix.AF_INET6, 64, unix.RT_TABLE_MAIN, 2, unix.RTN_UNICAST, 0), attr(unix.RTA_DST, octets("fe80::"))),
		"MPLS":       raw(unix.RTM_NEWROUTE, header(unix.AF_MPLS, 20, unix.RT_TABLE_MAIN, 2, unix.RTN_UNICAST, 0)),
	} {
		if m, ok, err := parseMessage(m); ok || err != nil {
			t.Errorf("%s: %+v, %v", name, m.route, err)
		}
	}
	wrong := raw(unix.RTM_NEWROUTE, header(unix.AF_INET, 33, unix.RT_TABLE_MAIN, 2, unix.RTN_UNICAST, 0), attr(unix.RTA_DST, octets("10.0.0.5")))
	if _, _, err := parseMessage(wrong); !errors.Is(err, errMalformed) {
		t.Errorf("33 bits: %v", err)
	}
}

func TestRoutesAreBounded(t *testing.T) {
	r := newRoutes("")
	addr := netip.MustParseAddr("10.0.0.0")
	for range maxRoutes + 5 {
		addr = addr.Next()
		r.apply(&route{routeKey: routeKey{table: unix.RT_TABLE_MAIN, dst: netip.PrefixFrom(addr, 32)}, proto: unix.RTPROT_STATIC, kind: unix.RTN_UNICAST}, false)
		r.rule(model.Rule{Family: "inet", Text: addr.String()}, false)
	}
	if len(r.all) != maxRoutes || len(r.rules) != maxRoutes || r.unkept != 10 {
		t.Errorf("%d routes, %d rules, %d not kept", len(r.all), len(r.rules), r.unkept)
	}
}

func TestRules(t *testing.T) {
	rule := func(from, table byte, attributes ...*nl.RtAttr) syscall.NetlinkMessage {
		return raw(unix.RTM_NEWRULE, []byte{unix.AF_INET, 0, from, 0, table, 0, 0, nl.FR_ACT_TO_TBL, 0, 0, 0, 0}, attributes...)
	}
	for _, c := range []struct {
		m    syscall.NetlinkMessage
		want string
	}{
		{rule(0, unix.RT_TABLE_LOCAL), ""},
		{rule(0, unix.RT_TABLE_MAIN, attr(nl.FRA_PRIORITY, number(32766))), ""},
		{rule(0, unix.RT_TABLE_MAIN, attr(nl.FRA_PRIORITY, number(100))), "inet/100/from all lookup main"},
		{rule(8, 0, attr(nl.FRA_PRIORITY, number(7)), attr(nl.FRA_SRC, octets("10.0.0.0")), attr(nl.FRA_TABLE, number(1000))), "inet/7/from 10.0.0.0/8 lookup 1000"},
		{rule(0, 100, attr(nl.FRA_FWMARK, number(1)), attr(nl.FRA_FWMASK, number(255)), attr(nl.FRA_IIFNAME, nl.ZeroTerminated("eth0"))), "inet/0/from all fwmark 0x1/0xff iif eth0 lookup 100"},
	} {
		m, ok, err := parseMessage(c.m)
		if err != nil || ok != (c.want != "") || ok && m.rule.Key() != c.want {
			t.Errorf("want %q: %+v, %v", c.want, m.rule, err)
		}
	}
}

// What the manager remembers is told again only where it differs.
func TestRoutingAfterARestart(t *testing.T) {
	before := make(routing)
	var told []change
	tell := func(c change) { told = append(told, c) }
	kept := model.Route{Table: "main", Destination: netip.MustParsePrefix("10.0.0.0/8"), Type: "unicast", Since: noon}
	gone := model.Route{Table: "main", Destination: netip.MustParsePrefix("10.1.0.0/16"), Type: "unicast"}
	before.take("", []change{{model.PackageRoutes, kept.Key(), kept}, {model.PackageRoutes, gone.Key(), gone}}, tell)
	var remembered []model.Document
	for _, c := range told {
		doc, err := model.NewDocument(model.Name{Host: "web-17", Package: c.pkg, Key: c.key}, noon, c.body)
		if err != nil {
			t.Fatal(err)
		}
		remembered = append(remembered, doc)
	}
	after := make(routing)
	now := kept
	now.Since = time.Time{} // it was there before this start
	fresh := model.Rule{Family: "inet", Priority: 7, Text: "from all lookup 100"}
	after.take("", []change{{model.PackageRoutes, now.Key(), now}, {model.PackageRules, fresh.Key(), fresh}}, func(change) {})
	told = nil
	after.recall(remembered, tell)
	if got := texts(told); len(got) != 2 || !strings.Contains(strings.Join(got, "\n"), "no "+gone.Key()) || !strings.Contains(strings.Join(got, "\n"), fresh.Key()) {
		t.Errorf("told %q", got)
	}
	told = nil
	after.leave("", tell)
	if len(told) != 2 || len(after) != 0 {
		t.Errorf("told %+v", told)
	}
}
