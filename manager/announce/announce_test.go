package announce

import (
	"net"
	"net/netip"
	"reflect"
	"testing"
)

func TestName(t *testing.T) {
	for host, want := range map[string]string{"web-1": "web-1.local", "web-1.example.org": "web-1.local"} {
		if got := Name(host); got != want {
			t.Errorf("%s is %s", host, got)
		}
	}
}

func TestReached(t *testing.T) {
	p := Place{Addrs: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")}}
	v4, v6 := net.IP{10, 0, 0, 1}, net.ParseIP("2001:db8::1")
	for listen, want := range map[string][]net.IP{
		"0.0.0.0": {v4}, "::": {v4, v6}, "10.0.0.1": {v4}, "2001:db8::1": {v6}, "10.0.0.2": nil, "127.0.0.1": nil,
	} {
		if got := p.reached(netip.MustParseAddr(listen)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is reached at %v", listen, got)
		}
	}
}
