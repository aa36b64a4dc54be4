package view

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

var update = flag.Bool("update", false, "write golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// golden renders tables for a pipe, a terminal with colours and a narrow one.
func golden(t *testing.T, name string, tables ...*output.Table) {
	t.Helper()
	var b bytes.Buffer
	for _, term := range []output.Terminal{{}, {Width: 160, Color: true}, {Width: 80}} {
		for _, table := range tables {
			if err := table.Write(&b, term); err != nil {
				t.Fatal(err)
			}
			b.WriteString("\n")
		}
	}
	compare(t, name, b.String())
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, "\x1b[", "^")
	path := "testdata/" + name + ".golden"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it with 'go test -update' and git diff. Got:\n%s", path, got)
	}
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestServices(t *testing.T) {
	gone := now.Add(-90 * time.Second)
	golden(t, "services", Services([]model.Service{
		{ID: "service:web-17/old:9000", Host: "web-17", Proto: "tcp", Addr: addr("127.0.0.1"), Port: 9000, State: model.StateEnded, Since: now.Add(-time.Hour), Ended: &gone,
			Process: model.Process{PID: 9, Exe: "/opt/old", Cmdline: []string{"/opt/old", "--flag"}, UID: "app", Cwd: "/"}},
		{ID: "service:web-17/nginx:8080", Host: "web-17", Proto: "tcp", Addr: addr("0.0.0.0"), Port: 8080, Addrs: []netip.Addr{addr("0.0.0.0"), addr("::"), addr("127.0.0.1")}, State: model.StateListening, Since: now.Add(-3 * time.Minute),
			Process: model.Process{PID: 4711, Exe: "/usr/sbin/nginx", Cmdline: []string{"nginx: master process /usr/sbin/nginx -g daemon off; -c /etc/nginx/nginx.conf"}, UID: "root", Cwd: "/var/lib/nginx"}},
		{ID: "service:web-17/evil:6666@net", Host: "web-17", Proto: "udp", Addr: addr("::1"), Port: 6666, State: model.StateListening, Since: now.Add(-50 * time.Hour), SinceApprox: true, NetnsName: "blue",
			Process: model.Process{PID: 66, Exe: "/tmp/\x1b[31mevil", Cmdline: []string{"evil", "two words", "\x1b]0;owned\a", "\u202egnp.exe"}, UID: "1000", Cwd: "/tmp\n/x"}},
		{ID: "service:web-17/kernel:2049", Host: "web-17", Proto: "tcp", Addr: addr("0.0.0.0"), Port: 2049, State: model.StateListening,
			Process: model.Process{Exe: model.KernelExe, UID: "root"}},
	}, now))
}

func TestDependencies(t *testing.T) {
	golden(t, "deps", Dependencies([]model.DependencyView{
		{Client: model.Party{ID: "process:web-17/usr/bin/curl"}, Server: model.Party{ID: "service:web-17/nginx:8080", Addr: addr("127.0.0.1")}, Proto: "tcp", Port: 8080,
			Counters: model.Counters{Connections: 1234567, Adopted: 1, Open: 2, BytesSent: 1536, BytesReceived: 1 << 30, RTTMicros: 85}, LastSeen: now.Add(-5 * time.Second)},
		{Client: model.Party{ID: "unknown-host:10.0.0.9"}, Server: model.Party{ID: "service:10.0.0.7:5432", Addr: addr("2001:db8::7")}, Proto: "tcp", Port: 5432,
			Counters: model.Counters{Failed: 1010, Refused: 1000, TimedOut: 3, Unreachable: 2, Aborted: 1}, LastSeen: now.Add(-26 * time.Hour)},
	}, now), Dependencies([]model.DependencyView{{
		Client: model.Party{ID: "process:web-17/usr/bin/curl"}, Server: model.Party{ID: "service:web-18/nginx:8080", Addr: addr("10.1.0.7")}, Proto: "tcp", Port: 8080,
		Dialled: []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:80")}, TranslatedBy: []string{"lb"}, Counters: model.Counters{Connections: 3}, LastSeen: now,
		Quantiles: model.Quantiles{RTTP50Micros: 210, RTTP95Micros: 380, RTTP99Micros: 1200, LifetimeP50Micros: 2_000_000, LifetimeP95Micros: 90_000_000, LifetimeP99Micros: 90_000_000_000},
	}}, now), Dependencies([]model.DependencyView{{Server: model.Party{ID: "service:a/b:1", Addr: addr("::1")}, Proto: "udp", Port: 1}}, now),
		Dependencies([]model.DependencyView{{
			Server: model.Party{ID: "service:a/b:1", Addr: addr("::1")}, Proto: "udp", Port: 1,
			Counters: model.Counters{BytesSent: 90, DatagramsSent: 3000, DatagramsReceived: 2},
		}}, now))
}

func TestGraph(t *testing.T) {
	golden(t, "graph",
		Nodes([]model.Node{
			{ID: "host:web-17", Kind: "host", Attrs: model.Attrs{"os": "Debian GNU/Linux 12", "cpus": 2.0, "empty": "", "null": nil}},
			{ID: "service:web-17/old:9000", Kind: "service", Attrs: model.Attrs{"state": "ended", "port": 9000.0, "addrs": []any{"a"}, "kernel": false, "big": 1e7, "comm": "\x1b[2J"}},
		}),
		Edges([]model.Edge{{From: "host:web-17", Kind: "runs", To: "service:web-17/old:9000"}}))
}

func TestEvents(t *testing.T) {
	var b strings.Builder
	for _, term := range []output.Terminal{{}, {Color: true}} {
		for _, kind := range []string{model.EventServiceStarted, model.EventServiceEnded, model.EventDependencyFail, "new\x1b[0mkind"} {
			b.WriteString(Event(model.Event{Time: now, Kind: kind, Host: "web-17", Summary: "nginx\nlistens on 0.0.0.0:8080"}, term, time.FixedZone("", 3600)) + "\n")
		}
	}
	compare(t, "events", b.String())
}

func TestHooks(t *testing.T) {
	golden(t, "hooks", Hooks([]model.Hook{
		{Fact: "tcp connect, listen, close", Hook: "tp_btf/inet_sock_set_state", First: true},
		{Fact: "accept", Hook: "tp_btf/inet_sock_set_state", Lost: "the accepting process", Reason: "fexit/inet_csk_accept: operation not permitted"},
		{Fact: "udp", Reason: "cgroup v2 is not mounted"},
	}))
}

func TestStrangers(t *testing.T) {
	golden(t, "strangers", Strangers([]model.Stranger{
		{MAC: "00:00:0c:00:00:fe", Vendor: "Cisco Systems, Inc", Router: true, DHCPServer: true, Addresses: []string{"10.0.0.254", "fe80::1"}, SeenBy: []string{"web-17/eth0"}, FirstSeen: now.Add(-time.Hour)},
		{MAC: "52:54:00:12:34:56", Name: "desk\x1b[31m-4", System: "MSFT 5.0", PXE: true, Addresses: []string{"10.0.0.9"}, SeenBy: []string{"web-17/eth0"}, Ports: []string{"kvm-3/vnet7"}, FirstSeen: now.Add(-time.Minute)},
	}, now))
}

func TestRoutes(t *testing.T) {
	golden(t, "routes", Routes([]model.HostRoute{
		{Host: "web-17", Route: model.Route{Table: "main", Destination: netip.MustParsePrefix("0.0.0.0/0"), Type: "unicast", Protocol: "dhcp", Metric: 100,
			Hops: []model.Hop{{Via: netip.MustParseAddr("10.0.0.1"), Interface: "eth0"}, {Via: netip.MustParseAddr("10.1.0.1"), Interface: "eth1"}}}},
		{Host: "web-17", Route: model.Route{Netns: "blue", Table: "100", Destination: netip.MustParsePrefix("10.9.0.0/16"), Type: "blackhole", Protocol: "static"}},
		{Host: "web-17", Route: model.Route{Table: "main", Destination: netip.MustParsePrefix("10.0.0.0/24"), Type: "unicast", Protocol: "kernel",
			Source: netip.MustParseAddr("10.0.0.17"), Hops: []model.Hop{{Interface: "eth0"}}}},
	}), Rules([]model.HostRule{{Host: "web-17", Rule: model.Rule{Family: "inet", Priority: 7, Text: "from 10.0.0.0/8 lookup 100"}}}))
}

// TestDiffFolds wants one line for what differs in its hosts alone, where it is much.
func TestDiffFolds(t *testing.T) {
	var d model.Diff
	add := func(list *[]model.Change, kind, host, function, id string, attrs map[string][2]any) {
		*list = append(*list, model.Change{ID: id, Kind: kind, Host: host, Function: function, Attrs: attrs})
	}
	for _, host := range []string{"a", "b", "c", "d"} {
		add(&d.Came, "service", host, "sshd:22", "service:"+host+"/sshd:22", nil)
		add(&d.Came, "depends_on", "mon", "prometheus > node:9100", "process:mon/prometheus -depends_on-> service:"+host+"/node:9100", nil)
		add(&d.Changed, "interface", host, "eth0", "interface:"+host+"/eth0", map[string][2]any{"mtu": {1500, 9000}})
	}
	add(&d.Came, "service", "a", "nginx:80", "service:a/nginx:80", nil)
	add(&d.Came, "service", "b", "nginx:80", "service:b/nginx:80", nil)
	add(&d.Went, "host", "", "", "host:old", nil)
	add(&d.Changed, "interface", "e", "eth0", "interface:e/eth0", map[string][2]any{"mtu": {1500, 1400}})
	golden(t, "diff", Diff(d, false), Diff(d, true))
}

func TestAnswers(t *testing.T) {
	impact := model.Impact{Of: "host:db-3", Hosts: 1, Services: 1, Victims: []model.Victim{
		{ID: "service:db-3/postgres:5432", Kind: "service", Effect: model.EffectDown, Depth: 1, Because: "host:db-3"},
		{ID: "service:web-17/nginx:443", Kind: "service", Effect: model.EffectAffected, Depth: 3, Because: "process:web-17/usr/sbin/nginx"},
	}}
	steps := []model.Step{{From: "host:a", Kind: "runs", To: "service:a/x:1"}, {From: "service:a/x:1", Kind: "depends_on", To: "process:b/y", Against: true}}
	diff := model.Diff{
		Came: []model.Change{{ID: "service:web-17/sshd:22", Kind: "service"}}, Went: []model.Change{{ID: "host:old", Kind: "host"}},
		Changed: []model.Change{{ID: "interface:web-17/eth0", Kind: "interface", Attrs: map[string][2]any{"mtu": {1500, 9000}, "vlan": {nil, "30"}}}},
	}
	golden(t, "answers", Impact(impact), Path(steps), Diff(diff, false), SinglePoints([]model.SinglePoint{{ID: "switch:00:1b:fc:00:00:0a", Hosts: 3, Services: 12}}))
	if got := ImpactTitle(impact); got != "When host:db-3 dies, hosts that fall: 1, services: 1." {
		t.Errorf("title %q", got)
	}
}

func TestOverview(t *testing.T) {
	golden(t, "overview", Overview(model.Overview{
		Since: now.Add(-24 * time.Hour), There: map[string]int{"host": 12, "service": 1234, "dependency": 99, "switch": 2, "unknown-host": 3},
		Sick:         []model.Ailment{{Node: "interface:web-17/eth0", What: "has no carrier"}},
		Came:         []model.Group{{Kind: "service", Count: 7, First: []string{"web-17/sshd:22", "web-18/sshd:22"}}, {Kind: "interface", Count: 13, First: []string{"a/eth0"}, Functions: []string{"eth0 on 12 hosts", "b/eth1"}}},
		Went:         []model.Group{{Kind: "host", Count: 1, First: []string{"old"}}},
		SinglePoints: []model.SinglePoint{{ID: "switch:00:1b:fc:00:00:0a", Kind: "switch", Hosts: 12, Services: 40}},
	}, now))
}

func TestUplinksAndShared(t *testing.T) {
	golden(t, "uplinks", Uplinks([]model.Uplinks{
		{Host: "web-17", Ports: []model.Uplink{{Interface: "eth0", Port: "Gi0/7", Up: true}}, Switches: []string{"core-1"}, Risk: model.RiskCable},
		{Host: "web-18", Ports: []model.Uplink{{Interface: "eth0", Port: "Gi0/8"}, {Interface: "eth1", Port: "Gi0/8"}}, Switches: []string{"core-1", "core-2"}},
		{Host: "web-19", Risk: model.RiskUnknown},
	}))
	golden(t, "shared", Shared([]model.Shared{{Kind: "switch", Name: "core-1", A: []string{"eth0 port Gi0/7"}, B: []string{"eth0 port Gi0/8", "eth1 port Gi0/9"}}}, "web-17", "web-18"))
}

func TestStatus(t *testing.T) {
	full := client.Status{
		Version: "v0.1.0", Host: "web-17", Start: now.Add(-2 * time.Hour),
		Store: &model.StoreStats{Documents: 12345, Names: 321, FileBytes: 1 << 20, FreeBytes: 1 << 10, Oldest: now.Add(-72 * time.Hour), Newest: now},
		Graph: &model.GraphStats{Nodes: map[string]int{"service": 12, "host": 1}, Services: map[string]int{"listening": 11, "ended": 1}, Documents: 13000, Rejected: map[string]uint64{"other": 2, "os": 0}, Watchers: 1, Lagged: 1},
		Network: &model.NetworkStats{
			Net:       model.NetStats{Namespaces: 2, Interfaces: 7, Resyncs: 1},
			Announced: model.AnnounceStats{Heard: map[string]uint64{"arp": 12, "nd": 3, "dhcp": 1}, Malformed: map[string]uint64{"arp": 0}, Known: 900, Limited: 7},
			Strangers: model.StrangerStats{Addresses: 40, Clients: 2},
			Frames:    model.FrameStats{Links: 3, Neighbors: 2, Frames: map[string]uint64{"lldp": 5, "cdp": 6}, Malformed: map[string]uint64{"lldp": 0, "cdp": 1}, Refused: 4},
		},
		Capture: &model.CaptureStats{Listeners: 11, Edges: 60000, Resyncs: 1, Transitions: map[string]uint64{"connect": 1000}, Drops: map[string]uint64{"ring_full": 3, "edges_full": 0},
			Maps: []model.MapFill{{Name: "edges", Used: 60000, Limit: 65536, Bytes: 22282240}, {Name: "connections", Used: 3, Limit: 262144, Bytes: 480}}, Hooks: []model.Hook{{Fact: "accept"}, {Fact: "tcp", First: true}}},
		Outbox: &model.OutboxStats{Queued: 3, Limit: 1000, Accepted: 12342, Dropped: map[string]uint64{"full": 0}},
	}
	golden(t, "status", Status(full, now), Status(client.Status{Version: "v0.1.0", Host: "web-17", Start: now, Store: &model.StoreStats{}, Graph: &model.GraphStats{}}, now), Status(client.Status{Version: "v0.1.0", Host: "web-17", Start: now}, now))
}
