package graph

import (
	"net/netip"
	"testing"

	"cassini/model"
)

func TestJoinOnLoopback(t *testing.T) {
	w := newWorld(t)
	w.listen("web", "/usr/sbin/nginx", "0.0.0.0", 8080)
	w.in("web", "/usr/sbin/nginx", "127.0.0.1", "127.0.0.1", 8080, n(3))
	w.expect("host:web -> service:web/nginx:8080 3/0 [server]")
	w.out("web", "/usr/bin/curl", "127.0.0.1", "127.0.0.1", 8080, n(4))
	w.expect("process:web/usr/bin/curl -> service:web/nginx:8080 4/0 [client server]")
}

func TestLoopbackOfTwoHostsStaysApart(t *testing.T) {
	w := newWorld(t)
	w.listen("a", "/nginx", "0.0.0.0", 80)
	w.in("a", "/nginx", "127.0.0.1", "127.0.0.1", 80, n(1))
	w.out("b", "/curl", "127.0.0.1", "127.0.0.1", 80, model.Counters{Failed: 2, Refused: 2})
	w.expect("host:a -> service:a/nginx:80 1/0 [server]", "process:b/curl -> service:b/127.0.0.1:80 0/2 [client]")
}

func TestLoopbackOfTwoNamespacesStaysApart(t *testing.T) {
	w := newWorld(t)
	w.listen("a", "/nginx", "0.0.0.0", 80)
	d := w.dep(model.Out, "/curl", "127.0.0.1", "127.0.0.1", 80, n(1))
	d.NetnsName = "blue"
	w.putDep("a", d)
	w.expect("process:a/curl -> service:a/127.0.0.1:80@blue 1/0 [client]")
	w.listen("a", "/nginx", "127.0.0.1", 80, func(l *model.Listener) { l.NetnsName = "blue" })
	w.expect("process:a/curl -> service:a/nginx:80@blue 1/0 [client]")
}

func TestJoinAcrossHosts(t *testing.T) {
	w := newWorld(t)
	w.out("web", "/app", "10.0.0.1", "10.0.0.2", 5432, n(7))
	w.expect("process:web/app -> service:10.0.0.2:5432 7/0 [client]")
	w.listen("db", "/postgres", "10.0.0.2", 5432)
	w.expect("process:web/app -> service:db/postgres:5432 7/0 [client]")
	w.in("db", "/postgres", "10.0.0.1", "10.0.0.2", 5432, n(7))
	w.expect("process:web/app -> service:db/postgres:5432 7/0 [client server]")
	if _, ok := w.Neighbourhood("service:10.0.0.2:5432", 1); ok {
		t.Error("the absent service is still there")
	}
}

func TestAddressKnownFromConnectionsFindsAWildcard(t *testing.T) {
	w := newWorld(t)
	w.listen("db", "/postgres", "::", 5432, func(l *model.Listener) { l.DualStack = true })
	w.out("db", "/backup", "10.0.0.2", "10.9.9.9", 22, n(1)) // 10.0.0.2 is db's
	w.out("web", "/app", "10.0.0.1", "10.0.0.2", 5432, model.Counters{Failed: 1, TimedOut: 1})
	w.expect("process:db/backup -> service:10.9.9.9:22 1/0 [client]", "process:web/app -> service:db/postgres:5432 0/1 [client]")
}

func TestAddressOfTwoHostsIsNobodys(t *testing.T) {
	w := newWorld(t)
	for _, h := range []string{"a", "b"} {
		w.listen(h, "/redis", "172.17.0.1", 6379)
	}
	w.out("c", "/app", "10.0.0.1", "172.17.0.1", 6379, n(1))
	w.out("a", "/app", "172.17.0.1", "172.17.0.1", 6379, n(1))
	w.expect("process:a/app -> service:a/redis:6379 1/0 [client]", "process:c/app -> service:172.17.0.1:6379 1/0 [client]")
}

// Every Docker host has this bridge: what one sees on it is not the other's.
func TestSameBridgeOnTwoHosts(t *testing.T) {
	w := newWorld(t)
	in := func(host string) {
		d := w.dep(model.In, "/postgres", "172.17.0.1", "172.17.0.2", 5432, n(1))
		d.NetnsName = "net:[1]"
		w.putDep(host, d)
	}
	in("b")
	w.out("b", "/app", "172.17.0.1", "172.17.0.2", 5432, n(1))
	w.out("a", "/app", "172.17.0.1", "172.17.0.2", 5432, model.Counters{Failed: 1})
	w.expect("process:a/app -> service:172.17.0.2:5432 0/1 [client]", "process:b/app -> service:b/postgres:5432@net:[1] 1/0 [client server]")
	in("a")
	w.expect("process:a/app -> service:a/postgres:5432@net:[1] 0/1 [client server]", "process:b/app -> service:b/postgres:5432@net:[1] 1/0 [client server]")
}

func TestUnknownHost(t *testing.T) {
	w := newWorld(t)
	w.listen("web", "/nginx", "0.0.0.0", 80)
	w.in("web", "/nginx", "192.0.2.7", "10.0.0.1", 80, n(5))
	w.expect("unknown-host:192.0.2.7 -> service:web/nginx:80 5/0 [server]")
	w.listen("peer", "/x", "192.0.2.7", 1)
	w.expect("host:peer -> service:web/nginx:80 5/0 [server]")
	w.out("peer", "/curl", "192.0.2.7", "10.0.0.1", 80, n(6))
	w.expect("process:peer/curl -> service:web/nginx:80 6/0 [client server]")
}

func TestEndedServiceStillResolves(t *testing.T) {
	w := newWorld(t)
	w.listen("web", "/nginx", "0.0.0.0", 80)
	w.stop("web", "/nginx", "0.0.0.0", 80)
	w.out("web", "/curl", "127.0.0.1", "127.0.0.1", 80, model.Counters{Failed: 1, Refused: 1})
	w.expect("process:web/curl -> service:web/nginx:80 0/1 [client]")
	w.listen("web", "/apache2", "127.0.0.1", 80)
	w.expect("process:web/curl -> service:web/apache2:80 0/1 [client]")
}

func TestServiceThatNoListenerTellsOf(t *testing.T) {
	w := newWorld(t)
	w.in("web", "/usr/sbin/sshd", "192.0.2.7", "10.0.0.1", 22, n(1))
	w.expect("unknown-host:192.0.2.7 -> service:web/sshd:22 1/0 [server]")
	if got := w.Nodes(NodeFilter{Kinds: []string{model.KindService}}); got[0].Attrs["state"] != StateUnknown || got[0].Attrs["pid"] != 4000 {
		t.Errorf("got %+v", got)
	}
	if s := w.Services(ServiceFilter{}); len(s) != 0 {
		t.Errorf("services %+v", s)
	}
}

// A socket handed over: systemd listens, sshd accepts.
func TestListenerOfAnotherProgram(t *testing.T) {
	w := newWorld(t)
	w.listen("web", "/lib/systemd/systemd", "0.0.0.0", 22)
	w.in("web", "/usr/sbin/sshd", "192.0.2.7", "10.0.0.1", 22, n(1))
	w.expect("unknown-host:192.0.2.7 -> service:web/systemd:22 1/0 [server]")
}

// Two programs accepted the same connections, one after the other.
func TestEarlierServiceKeepsItsConnections(t *testing.T) {
	w := newWorld(t)
	w.listen("web", "/nginx", "0.0.0.0", 80)
	w.in("web", "/nginx", "127.0.0.1", "127.0.0.1", 80, n(3))
	w.listen("web", "/apache2", "0.0.0.0", 80)
	w.in("web", "/apache2", "127.0.0.1", "127.0.0.1", 80, n(2))
	w.out("web", "/curl", "127.0.0.1", "127.0.0.1", 80, n(5))
	w.expect("process:web/curl -> service:web/apache2:80 5/0 [client server]", "process:web/curl -> service:web/nginx:80 3/0 [server]")
}

func TestMappedAddressesAreFolded(t *testing.T) {
	w := newWorld(t)
	w.listen("web", "/nginx", "::ffff:127.0.0.1", 80)
	w.out("web", "/curl", "127.0.0.1", "::ffff:127.0.0.1", 80, n(1))
	w.expect("process:web/curl -> service:web/nginx:80 1/0 [client]")
}

func TestUndirectedIsNoEdge(t *testing.T) {
	w := newWorld(t)
	d := w.dep(model.Unknown, "/x", "10.0.0.2", "10.0.0.1", 999, n(1))
	w.putDep("web", d)
	w.expect()
	if s := w.Stats(); s.Undirected != 1 || len(s.Rejected) != 0 {
		t.Errorf("stats %+v", s)
	}
	w.put(model.Name{Host: "web", Package: model.PackageDependencies, Key: d.Key()}, nil)
	if s := w.Stats(); s.Undirected != 0 {
		t.Errorf("stats %+v", s)
	}
}

// The server cannot tell two programs of one host apart; the client's end can.
func TestTwoProgramsBehindOneAddress(t *testing.T) {
	w := newWorld(t)
	w.listen("web", "/nginx", "0.0.0.0", 80)
	w.in("web", "/nginx", "127.0.0.1", "127.0.0.1", 80, n(3))
	w.out("web", "/curl", "127.0.0.1", "127.0.0.1", 80, n(1))
	w.out("web", "/wget", "127.0.0.1", "127.0.0.1", 80, n(2))
	w.expect("process:web/curl -> service:web/nginx:80 1/0 [client server]", "process:web/wget -> service:web/nginx:80 2/0 [client server]")
}

// A server of names has one service for each protocol, and each its own clients.
func TestDatagramsJoinApartFromConnections(t *testing.T) {
	w := newWorld(t)
	w.listen("ns", "/usr/sbin/dnsmasq", "0.0.0.0", 53)
	name := model.Name{Host: "ns", Package: model.PackageListeners, Key: "udp/0.0.0.0/53"}
	l := model.Listener{Proto: "udp", Addr: netip.IPv4Unspecified(), Port: 53, Process: proc("/usr/sbin/dnsmasq", 53), State: model.StateListening, Since: w.now, Sockets: 1}
	w.put(name, l)
	for _, end := range []struct {
		host, exe string
		direction model.Direction
	}{{"web", "/usr/bin/app", model.Out}, {"ns", "/usr/sbin/dnsmasq", model.In}} {
		d := w.dep(end.direction, end.exe, "10.0.0.1", "10.0.0.2", 53, n(9))
		d.Proto = "udp"
		w.putDep(end.host, d)
	}
	w.expect("process:web/usr/bin/app -> service:ns/dnsmasq:53/udp 9/0 [client server]")
}
