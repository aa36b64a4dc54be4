package cookbook

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"cassini/manager/graph"
	"cassini/model"
)

// estate makes documents and applies them to a graph.
type estate struct {
	*graph.Graph
	t   *testing.T
	now time.Time
	n   int
}

func (e *estate) put(host, pkg, key string, body any) {
	e.t.Helper()
	e.now = e.now.Add(time.Second)
	e.n++
	doc, err := model.NewDocument(model.Name{Host: host, Package: pkg, Key: key}, e.now, body)
	if err != nil {
		e.t.Fatal(err)
	}
	e.Apply(fmt.Sprintf("%08d", e.n), doc)
}

// machine is a host with one card or more, each on a port of a switch.
func (e *estate) machine(host, addr, os, kernel, agent string, cables ...string) {
	e.t.Helper()
	e.put(host, model.PackageIdentity, "", model.Identity{Hostname: host, MachineID: "m-" + host, BootID: "b-" + host, BootTime: e.now.Add(-24 * time.Hour), Agent: agent, AgentStart: e.now})
	e.put(host, model.PackageOS, "", model.OS{ID: "debian", Name: os, Kernel: kernel, Arch: "x86_64"})
	for i, cable := range cables {
		var sw, port string
		_, _ = fmt.Sscanf(cable, "%s %s", &sw, &port)
		card := model.Interface{
			Name: fmt.Sprint("eth", i), Index: i + 2, Address: fmt.Sprintf("3c:fd:fe:00:%02x:%02x", e.n, i), Kind: "device", MTU: 1500, Up: true, OperState: "up",
			Carrier: 1, CarrierChanges: 1, Speed: 10000, Duplex: "full", Driver: "i40e", State: model.InterfacePresent,
		}
		if i == 0 {
			card.Addresses = map[string]model.IPConfig{addr + "/24": {Scope: "global"}}
			card.DefaultGateways = []netip.Addr{netip.MustParseAddr("10.0.0.254")}
		}
		if host == "cache-1" {
			card.Speed, card.CarrierChanges = 1000, 14
		}
		e.put(host, model.PackageNetConfig, card.Key(), card)
		n := model.Neighbor{Interface: card.Name, State: model.NeighborPresent, FirstSeen: e.now, Discovery: model.Discovery{
			Protocol: model.LLDP, SystemName: sw, SystemDescr: "ExampleOS 15.2", TTL: 120, Enabled: []string{"bridge"}, PortVLAN: 10,
			Chassis: model.PortID{Kind: "mac", ID: map[string]string{"core-1": "00:1b:fc:00:00:0a", "core-2": "00:1b:fc:00:00:0b"}[sw]},
			Port:    model.PortID{Kind: "ifname", ID: port}, MTU: 1518,
		}}
		e.put(host, model.PackageNeighbors, n.Key(), n)
	}
}

func process(exe, user string, pid int) model.Process {
	return model.Process{PID: pid, Exe: exe, Cmdline: []string{exe}, UID: user, GID: user, Cwd: "/", Cgroup: "/system.slice/" + exe[len("/usr/bin/"):] + ".service"}
}

func (e *estate) serves(host, exe, user, addr string, port uint16) {
	e.t.Helper()
	l := model.Listener{Proto: "tcp", Addr: netip.MustParseAddr(addr), Port: port, Process: process(exe, user, int(port)), State: model.StateListening, Since: e.now, Sockets: 1}
	e.put(host, model.PackageListeners, l.Key(), l)
}

func (e *estate) dials(host, exe, from, to string, port uint16, c model.Counters) {
	e.t.Helper()
	d := model.Dependency{Direction: model.Out, Proto: "tcp", Process: process(exe, "www-data", 400), Client: netip.MustParseAddr(from), Server: netip.MustParseAddr(to), Port: port,
		Counters: c, FirstSeen: e.now, LastSeen: e.now, CountingSince: e.now}
	e.put(host, model.PackageDependencies, d.Key(), d)
}

func many(n uint64) model.Counters {
	return model.Counters{Connections: n, Attempts: n, Open: 2, BytesSent: n * 1000, BytesReceived: n * 5000, RTTMicros: 300, Closed: n - 2}
}

// newEstate is a load balancer, two web servers, two of an application, two databases,
// a cache and a monitor, on two switches; with machines that nobody watches.
func newEstate(t *testing.T) *graph.Graph {
	e := &estate{Graph: graph.New(graph.Limits{}), t: t, now: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)}
	const twelve, thirteen, old, current = "Debian GNU/Linux 12 (bookworm)", "Debian GNU/Linux 13 (trixie)", "v0.1.0", "v0.2.0"
	at := map[string]string{"lb-1": "10.0.0.1", "web-1": "10.0.0.11", "web-2": "10.0.0.12", "app-1": "10.0.0.21", "app-2": "10.0.0.22",
		"db-1": "10.0.0.31", "db-2": "10.0.0.32", "cache-1": "10.0.0.41", "mon-1": "10.0.0.51"}
	e.machine("lb-1", at["lb-1"], thirteen, "6.12.95", current, "core-1 p1", "core-2 p1")
	e.machine("web-1", at["web-1"], thirteen, "6.12.95", current, "core-1 p2")
	e.machine("web-2", at["web-2"], thirteen, "6.12.95", current, "core-2 p2")
	e.machine("app-1", at["app-1"], twelve, "6.1.0", current, "core-1 p3")
	e.machine("app-2", at["app-2"], twelve, "6.1.0", old, "core-2 p3")
	e.machine("db-1", at["db-1"], twelve, "6.1.0", current, "core-1 p4", "core-2 p4")
	e.machine("db-2", at["db-2"], twelve, "6.1.0", current, "core-1 p5", "core-1 p6")
	e.machine("cache-1", at["cache-1"], twelve, "6.1.0", old, "core-1 p7")
	e.machine("mon-1", at["mon-1"], thirteen, "6.12.95", current, "core-2 p5")
	for _, host := range []string{"lb-1", "web-1", "web-2", "app-1", "app-2", "db-1", "db-2", "cache-1", "mon-1"} {
		e.serves(host, "/usr/bin/sshd", "root", "0.0.0.0", 22)
		if host != "mon-1" {
			e.serves(host, "/usr/bin/node_exporter", "prometheus", at[host], 9100)
			e.dials("mon-1", "/usr/bin/prometheus", at["mon-1"], at[host], 9100, many(100))
		}
	}
	e.serves("lb-1", "/usr/bin/haproxy", "haproxy", "0.0.0.0", 443)
	e.serves("mon-1", "/usr/bin/prometheus", "prometheus", at["mon-1"], 9090)
	e.serves("cache-1", "/usr/bin/redis", "redis", at["cache-1"], 6379)
	for _, n := range []string{"1", "2"} {
		e.serves("web-"+n, "/usr/bin/nginx", "www-data", at["web-"+n], 8080)
		e.serves("app-"+n, "/usr/bin/shop", "shop", at["app-"+n], 9000)
		e.serves("db-"+n, "/usr/bin/postgres", "postgres", at["db-"+n], 5432)
		e.dials("lb-1", "/usr/bin/haproxy", at["lb-1"], at["web-"+n], 8080, many(5000))
		for _, m := range []string{"1", "2"} {
			e.dials("web-"+n, "/usr/bin/nginx", at["web-"+n], at["app-"+m], 9000, many(2000))
		}
		e.dials("app-"+n, "/usr/bin/shop", at["app-"+n], at["db-1"], 5432, many(800))
		e.dials("app-"+n, "/usr/bin/shop", at["app-"+n], at["cache-1"], 6379, many(9000))
	}
	e.dials("db-2", "/usr/bin/postgres", at["db-2"], at["db-1"], 5432, many(3)) // replication
	e.dials("mon-1", "/usr/bin/backup", at["mon-1"], at["db-2"], 5432, many(5))
	failing := model.Counters{Connections: 2, Attempts: 42, Failed: 40, Refused: 30, TimedOut: 10}
	e.dials("app-2", "/usr/bin/shop", at["app-2"], "10.0.9.9", 25, failing)
	inbound := model.Dependency{Direction: model.In, Proto: "tcp", Process: process("/usr/bin/haproxy", "haproxy", 443), Client: netip.MustParseAddr("203.0.113.9"),
		Server: netip.MustParseAddr(at["lb-1"]), Port: 443, Counters: many(70), FirstSeen: e.now, LastSeen: e.now, CountingSince: e.now}
	e.put("lb-1", model.PackageDependencies, inbound.Key(), inbound)
	e.serves("web-1", "/usr/bin/debugserver", "www-data", "0.0.0.0", 6060)
	ended := e.now
	gone := model.Listener{Proto: "tcp", Addr: netip.MustParseAddr(at["web-2"]), Port: 8443, Process: process("/usr/bin/nginx", "www-data", 8443), State: model.StateEnded, Since: e.now, Ended: &ended}
	e.put("web-2", model.PackageListeners, gone.Key(), gone)
	for _, s := range []model.Seen{
		{Interface: "eth0", Addr: netip.MustParseAddr("10.0.0.254"), MAC: "00:00:0c:00:00:fe", By: model.SeenByARP},
		{Interface: "eth0", Addr: netip.MustParseAddr("10.0.0.99"), MAC: "52:54:00:00:00:99", By: model.SeenByARP},
	} {
		s.FirstSeen, s.Changed = e.now, e.now
		e.put("web-1", model.PackageSeen, s.Key(), s)
	}
	ask := model.DHCP{Interface: "eth0", MAC: "00:1b:fc:00:00:77", HostName: "laptop-7", VendorClass: "MSFT 5.0", FirstSeen: e.now, Changed: e.now}
	e.put("web-1", model.PackageDHCP, ask.Key(), ask)
	e.liveness("lb-1", "web-1", "web-2", "app-1", "app-2", "db-1", "db-2", "cache-1", "mon-1")
	asked := model.Asked{Addr: netip.MustParseAddr(at["db-1"]), Names: []model.AskedName{{Name: "db.shop.example", TTL: 60, Server: "10.0.0.2", First: e.now}}}
	e.put("app-1", model.PackageNames, asked.Key(), asked)
	for range 3 { // a service that does not stay up
		gone.State, gone.Ended = model.StateListening, nil
		e.put("web-2", model.PackageListeners, gone.Key(), gone)
		gone.State, gone.Ended = model.StateEnded, &e.now
		e.put("web-2", model.PackageListeners, gone.Key(), gone)
	}
	return e.Graph
}

// liveness puts hosts on a ring, on which one crashes and one is shut down in order.
func (e *estate) liveness(hosts ...string) {
	e.t.Helper()
	ring := model.Ring{ID: "subnet:10.0.0.0/24", Epoch: 1, Zone: "subnet:10.0.0.0/24", Profile: model.StandardProfile()}
	for _, h := range hosts {
		ring.Members = append(ring.Members, model.RingMember{Host: h, Zone: ring.Zone, Incarnation: 1})
	}
	e.put("manager", model.PackageRings, string(ring.ID), ring)
	for i, v := range []model.Verdict{
		{Kind: model.VerdictCrashed, Subject: ring.Members[8]}, {Kind: model.VerdictShutdown, Subject: ring.Members[4]},
	} {
		v.ID = model.ReportID{Reporter: "lb-1", Incarnation: 1, Sequence: uint64(i + 1)}
		doc, err := model.VerdictDocument(v, "lb-1")
		if err != nil {
			e.t.Fatal(err)
		}
		e.put("lb-1", model.PackageVerdicts, doc.Key, v)
	}
}
