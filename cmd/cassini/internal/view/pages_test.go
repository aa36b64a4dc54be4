package view

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

func TestPage(t *testing.T) {
	now := time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)
	p := model.Page{
		Node: model.Node{ID: "host:web-17", Kind: model.KindHost, Attrs: model.Attrs{
			"os": "Debian GNU/Linux 13 (trixie)", "kernel": "6.12.95", "agent_version": "v0.2.0\n", "boot_time": "2026-11-18T20:00:00Z", "state": "up"}},
		Liveness:   &model.HostLiveness{Host: "web-17", State: "up", Since: now.Add(-time.Hour), WatchedBy: []string{"web-16", "web-18"}},
		Services:   []model.Service{{ID: "service:web-17/nginx:80", Host: "web-17", Proto: "tcp", Addr: addr("0.0.0.0"), Addrs: []netip.Addr{addr("0.0.0.0")}, Port: 80, State: model.StateListening, Since: now}},
		Dependents: []model.DependencyView{{Client: model.Party{ID: "unknown-host:203.0.113.9"}, Server: model.Party{ID: "service:web-17/nginx:80", Addr: addr("10.0.0.1")}, Proto: "tcp", Port: 80, LastSeen: now}},
		Falls:      model.Fallen{Hosts: 1, Services: 3}, FallsWith: []model.SinglePoint{{ID: "switch:a", Hosts: 4, Services: 9}},
		Counts: model.PageCounts{Listening: 4, Services: 6, Dependents: 12, FallsWith: 1, Open: 2},
	}
	var b strings.Builder
	b.WriteString(strings.Join(PageLines(p, now), "\n") + "\n")
	for _, part := range PageParts(p, now) {
		b.WriteString(part.Title + "\n")
		if err := part.Table.Write(&b, output.Terminal{Width: 200}); err != nil {
			t.Fatal(err)
		}
	}
	compare(t, "page", b.String())
	p.Node = model.Node{ID: p.Services[0].ID, Kind: model.KindService, Attrs: model.Attrs{"exe": "/usr/sbin/nginx", "unit": "nginx.service", "state": "listening"}}
	p.Liveness = nil
	compare(t, "page-service", strings.Join(PageLines(p, now), "\n")+"\n")
}

func TestInventory(t *testing.T) {
	golden(t, "inventory",
		Programs([]model.ProgramView{{ID: "process:a/usr/bin/x", Host: "a", Name: "x", Process: model.Process{PID: 7, Exe: "/usr/bin/x", UID: "root", Cmdline: []string{"x", "-v"}}, Listening: 1, Dials: 2}}),
		Cards([]model.Card{{ID: "interface:a/eth0", Host: "a", Name: "eth0", Address: "00:00:0c:00:00:01", Vendor: "Cisco Systems, Inc", Driver: "igb", Speed: 1000, Up: true}, {ID: "interface:b/eth0", Address: "02:00:00:00:00:01"}}),
		Unknown([]model.UnknownNode{{ID: "service:10.0.9.9:25", Kind: "service", AskedAs: []string{"mail.example"}, Clients: 3}, {ID: "unknown-host:02:fc:00:00:00:05", Kind: "unknown-host", SeenBy: 1}}))
}
