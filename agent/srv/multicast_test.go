package srv

import (
	"net"
	"net/netip"
	"reflect"
	"testing"

	"github.com/hashicorp/mdns"
)

func TestHeard(t *testing.T) {
	entry := func(name, host, addr string, port int) *mdns.ServiceEntry {
		e := &mdns.ServiceEntry{Name: name, Host: host, Port: port}
		if ip := net.ParseIP(addr); ip.To4() != nil {
			e.AddrV4 = ip
		} else if ip != nil {
			e.AddrV6IPAddr = &net.IPAddr{IP: ip, Zone: "eth0"}
		}
		return e
	}
	const of = "m._cassini._tcp.local."
	for name, tt := range map[string]struct {
		entries []*mdns.ServiceEntry
		want    []Target
		refused int
	}{
		"one":          {[]*mdns.ServiceEntry{entry(of, "Manager.local.", "10.0.0.1", 1984)}, []Target{{Host: "manager.local", Port: 1984, Addr: netip.MustParseAddr("10.0.0.1")}}, 0},
		"IPv6":         {[]*mdns.ServiceEntry{entry(of, "m.local.", "fe80::1", 1984)}, []Target{{Host: "m.local", Port: 1984, Addr: netip.MustParseAddr("fe80::1%eth0")}}, 0},
		"on two links": {[]*mdns.ServiceEntry{entry(of, "m.local.", "10.0.0.1", 1984), entry(of, "m.local.", "10.1.0.1", 1984)}, []Target{{Host: "m.local", Port: 1984, Addr: netip.MustParseAddr("10.0.0.1")}}, 1},
		"a printer":    {[]*mdns.ServiceEntry{entry("p._ipp._tcp.local.", "p.local.", "10.0.0.9", 631)}, nil, 0},
		"no port":      {[]*mdns.ServiceEntry{entry(of, "m.local.", "10.0.0.1", 0)}, nil, 1},
		"port":         {[]*mdns.ServiceEntry{entry(of, "m.local.", "10.0.0.1", 65537)}, nil, 1},
		"no address":   {[]*mdns.ServiceEntry{entry(of, "m.local.", "", 1984)}, nil, 1},
		"no host":      {[]*mdns.ServiceEntry{entry(of, "10.0.0.1.", "10.0.0.1", 1984), entry(of, "a b.local.", "10.0.0.1", 1984)}, nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			got, refused := heard(tt.entries)
			if !reflect.DeepEqual(got, tt.want) || refused != tt.refused {
				t.Errorf("got %+v, %d refused", got, refused)
			}
		})
	}
}

func TestRooted(t *testing.T) {
	for want, target := range map[string]Target{
		"m.example.org.:1984": {Host: "m.example.org", Port: 1984},
		"10.0.0.1:1984":       {Host: "m.local", Port: 1984, Addr: netip.MustParseAddr("10.0.0.1")},
		"[fe80::1%eth0]:1984": {Host: "m.local", Port: 1984, Addr: netip.MustParseAddr("fe80::1%eth0")},
	} {
		if got := rooted(target); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
