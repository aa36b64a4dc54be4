package graph

import (
	"fmt"
	"net/netip"
	"testing"

	"cassini/model"
)

func TestTargets(t *testing.T) {
	w := newWorld(t)
	w.link("web", "eth0", "02:00:00:00:00:01", addresses("10.0.0.1/24", "2001:db8::1/64"))
	w.link("web", "eth1", "02:00:00:00:00:02", addresses("192.168.0.1/24"), func(i *model.Interface) {
		i.DefaultGateways = []netip.Addr{netip.MustParseAddr("192.168.0.254")}
	})
	w.listen("web", "/usr/sbin/nginx", "10.0.0.1", 80)
	w.listen("web", "/usr/bin/node_exporter", "::", 9100)
	w.listen("web", "/usr/bin/redis", "127.0.0.1", 6379)
	w.listen("bare", "/usr/bin/node_exporter", "0.0.0.0", 9100) // no address is known
	w.listen("web", "/usr/sbin/old", "10.0.0.1", 81)
	w.stop("web", "/usr/sbin/old", "10.0.0.1", 81)
	for _, c := range []struct {
		filter TargetFilter
		want   string
	}{
		{TargetFilter{}, "[web/nginx:80 10.0.0.1:80 web/node_exporter:9100 192.168.0.1:9100]"},
		{TargetFilter{Program: "node_exporter"}, "[web/node_exporter:9100 192.168.0.1:9100]"},
		{TargetFilter{Port: 80}, "[web/nginx:80 10.0.0.1:80]"},
		{TargetFilter{Host: "bare", Loopback: true}, "[bare/node_exporter:9100 127.0.0.1:9100]"},
		{TargetFilter{Host: "web", Program: "redis", Loopback: true}, "[web/redis:6379 127.0.0.1:6379]"},
		{TargetFilter{Host: "nobody"}, "[]"},
	} {
		got := []string{}
		for _, group := range w.Targets(c.filter) {
			got = append(got, group.Labels["__meta_cassini_service"][len("service:"):], group.Targets[0])
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%+v: %v, want %v", c.filter, got, c.want)
		}
	}
}
