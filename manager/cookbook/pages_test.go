package cookbook

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cassini/manager/pages"
	"cassini/model"
)

// told is a page in a few lines.
func told(p model.Page) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d interfaces, %d cables, falls %v, counts %+v\n", p.Node.ID, len(p.Interfaces), len(p.Ports), p.Falls, p.Counts)
	for _, s := range p.Services {
		fmt.Fprintln(&b, "service", s.ID, s.State)
	}
	for _, d := range p.Dependencies {
		fmt.Fprintln(&b, "depends on", d.Server.ID, d.Connections)
	}
	for _, d := range p.Dependents {
		fmt.Fprintln(&b, "client", d.Client.ID, d.Connections)
	}
	for _, s := range p.FallsWith {
		fmt.Fprintln(&b, "falls with", s.ID)
	}
	for _, i := range p.Incidents {
		fmt.Fprintln(&b, "incident", i.Kind, i.State, i.Subjects)
	}
	return b.String()
}

func TestPages(t *testing.T) {
	g := newEstate(t)
	for _, c := range []struct {
		what  string
		limit int
		want  string
	}{
		{"host db-1", 10, `
host:db-1: 2 interfaces, 2 cables, falls {0 9}, counts {Listening:3 Services:3 Dependencies:0 Dependents:4 FallsWith:0 Incidents:0 Open:0}
service service:db-1/node_exporter:9100 listening
service service:db-1/postgres:5432 listening
service service:db-1/sshd:22 listening
client process:db-2/usr/bin/postgres@postgres.service 3
client process:app-2/usr/bin/shop@shop.service 800
client process:app-1/usr/bin/shop@shop.service 800
client process:mon-1/usr/bin/prometheus@prometheus.service 100
`},
		{"host mon-1", 2, `
host:mon-1: 1 interfaces, 1 cables, falls {0 2}, counts {Listening:2 Services:2 Dependencies:9 Dependents:0 FallsWith:2 Incidents:1 Open:1}
service service:mon-1/prometheus:9090 listening
service service:mon-1/sshd:22 listening
depends on service:db-2/postgres:5432 5
depends on service:cache-1/node_exporter:9100 100
falls with switch:00:1b:fc:00:00:0b
falls with switchport:00:1b:fc:00:00:0b/p5
incident host-crashed open [mon-1]
`},
		{"service service:db-1/postgres:5432", 10, `
service:db-1/postgres:5432: 0 interfaces, 0 cables, falls {0 6}, counts {Listening:0 Services:0 Dependencies:0 Dependents:3 FallsWith:1 Incidents:0 Open:0}
service service:db-1/postgres:5432 listening
client process:db-2/usr/bin/postgres@postgres.service 3
client process:app-2/usr/bin/shop@shop.service 800
client process:app-1/usr/bin/shop@shop.service 800
falls with host:db-1
`},
		{"service service:10.0.9.9:25", 10, `
service:10.0.9.9:25: 0 interfaces, 0 cables, falls {0 1}, counts {Listening:0 Services:0 Dependencies:0 Dependents:1 FallsWith:0 Incidents:0 Open:0}
client process:app-2/usr/bin/shop@shop.service 2
`},
	} {
		kind, name, _ := strings.Cut(c.what, " ")
		ask := pages.Host
		if kind == "service" {
			ask = pages.Service
		}
		p, ok := ask(g, name, c.limit)
		if got := told(p); !ok || got != strings.TrimLeft(c.want, "\n") {
			t.Errorf("%s:\n%s", c.what, got)
		}
	}
	if _, ok := pages.Host(g, "nobody", 10); ok {
		t.Error("nobody has a page")
	}
	if _, ok := pages.Service(g, "host:db-1", 10); ok {
		t.Error("a host has the page of a service")
	}
}

func TestInventory(t *testing.T) {
	g := newEstate(t)
	programs := func(host, prefix string) (list []string) {
		for _, p := range g.Programs(host, prefix) {
			list = append(list, fmt.Sprintf("%s on %s: %d, %d", p.Name, p.Host, p.Listening, p.Dials))
		}
		return list
	}
	for _, c := range []struct {
		host, prefix string
		want         []string
	}{
		{"", "post", []string{"postgres on db-1: 1, 0", "postgres on db-2: 1, 1"}},
		{"db-2", "/usr/bin/po", []string{"postgres on db-2: 1, 1"}},
		{"", "/bin", nil},
		{"", "shop", []string{"shop on app-1: 1, 2", "shop on app-2: 1, 3"}},
	} {
		if got := programs(c.host, c.prefix); !slices.Equal(got, c.want) {
			t.Errorf("%q %q: %q", c.host, c.prefix, got)
		}
	}
	var got []string
	for _, c := range g.Cards("db-2") {
		got = append(got, c.Name+" "+c.Vendor)
	}
	for _, u := range g.Unknown() {
		got = append(got, fmt.Sprintf("%s %d %d %d %s", u.ID, u.Clients, u.Dials, u.SeenBy, u.Vendor))
	}
	if want := []string{
		"eth0 Intel Corporate", "eth1 Intel Corporate", "service:10.0.9.9:25 1 0 0 ", "unknown-host:203.0.113.9 0 1 0 ",
		"unknown-host:00:00:0c:00:00:fe 0 0 1 Cisco Systems, Inc", "unknown-host:00:1b:fc:00:00:77 0 0 1 ASUSTek COMPUTER INC.", "unknown-host:52:54:00:00:00:99 0 0 1 ",
	}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
