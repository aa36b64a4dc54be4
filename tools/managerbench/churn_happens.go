package main

import (
	"fmt"
	"net/netip"
	"time"

	"cassini/model"
)

// doc makes a document of the host; a nil body says that the thing is forgotten.
func (l *liver) doc(pkg, key string, body any) model.Document {
	name := model.Name{Host: l.host, Package: pkg, Key: key}
	if body == nil {
		return model.Document{Name: name, Time: time.Now().UTC()}
	}
	doc, err := model.NewDocument(name, time.Now(), body)
	if err != nil {
		panic(err) // bodies of ours always can be encoded
	}
	return doc
}

// first is what an agent tells at its start.
func (l *liver) first() []model.Document {
	now := time.Now()
	docs := []model.Document{
		l.doc(model.PackageIdentity, "", model.Identity{Hostname: l.host, MachineID: l.machine.MachineID, DMI: l.machine.DMI, BootID: l.machine.BootID, BootTime: now, Agent: "churn", AgentStart: now}),
		l.doc(model.PackageOS, "", model.OS{ID: "debian", Name: "Debian GNU/Linux 12 (bookworm)", Kernel: "6.1.0", Arch: "amd64"}),
		l.card("eth0", model.InterfacePresent),
	}
	for port := range uint16(5) {
		docs = append(docs, l.listener("/usr/sbin/nginx", 8000+port, model.StateListening))
	}
	return docs
}

func (l *liver) card(name, state string) model.Document {
	i := model.Interface{Name: name, Index: 2, Kind: "device", State: state, Address: fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", l.r.IntN(256), l.r.IntN(256), l.r.IntN(256), l.r.IntN(256), l.r.IntN(256)), Up: true, OperState: "up", Carrier: l.r.IntN(2)}
	if name == "eth0" {
		i.Addresses = map[string]model.IPConfig{l.addr.String() + "/16": {}}
	}
	return l.doc(model.PackageNetConfig, i.Key(), i)
}

func (l *liver) process(exe string) model.Process {
	return model.Process{PID: 1 + l.r.IntN(30000), Exe: exe, Cmdline: []string{exe}, UID: "root", GID: "root", Cwd: "/"}
}

func (l *liver) listener(exe string, port uint16, state string) model.Document {
	now := time.Now().UTC()
	s := model.Listener{Proto: "tcp", Addr: l.addr, Port: port, Process: l.process(exe), State: state, Since: now, Sockets: 1}
	if state == model.StateEnded {
		s.Ended = &now
	}
	return l.doc(model.PackageListeners, s.Key(), s)
}

// fresh is a name that nothing had before.
func (l *liver) fresh(what string) string {
	l.things++
	return fmt.Sprintf("%s-%s-%d", what, l.host, l.things)
}

// happens is something that changes on the host.
func (l *liver) happens() []model.Document {
	port := uint16(8000 + l.r.IntN(5))
	switch l.r.IntN(8) {
	case 0: // a service flaps
		return []model.Document{l.listener("/usr/sbin/nginx", port, model.StateEnded), l.listener("/usr/sbin/nginx", port, model.StateListening)}
	case 1: // a job that never ran before listens on a port of the day
		exe, port := "/opt/"+l.fresh("job"), uint16(10000+l.r.IntN(20000))
		return []model.Document{l.listener(exe, port, model.StateListening), l.listener(exe, port, model.StateEnded)}
	case 2: // a container's interface
		name := l.fresh("veth")
		return []model.Document{l.card(name, model.InterfacePresent), l.card(name, model.InterfaceGone)}
	case 3: // a client that nobody saw before
		return []model.Document{l.dependency(model.In, "/usr/sbin/nginx", l.stranger(), l.addr, port, false)}
	case 4: // a dependency on somebody's service, and its end
		d := l.dependency(model.Out, "/opt/"+l.fresh("client"), l.addr, l.stranger(), 443, false)
		return []model.Document{d, l.doc(d.Package, d.Key, nil)}
	case 5: // a carrier that flaps
		return []model.Document{l.card("eth0", model.InterfacePresent)}
	case 6: // another machine on the wire
		s := model.Seen{Addr: l.stranger(), MAC: fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", l.r.IntN(256), l.r.IntN(256), l.r.IntN(256), l.r.IntN(256)), Interface: "eth0", FirstSeen: time.Now(), Changed: time.Now()}
		d := l.doc(model.PackageSeen, s.Key(), s)
		return []model.Document{d, l.doc(d.Package, d.Key, nil)}
	}
	return []model.Document{l.dependency(model.Out, "/usr/sbin/nginx", l.addr, netip.MustParseAddr("10.250.0.1"), 5432, true)} // counters move
}

// stranger is an address at random.
func (l *liver) stranger() netip.Addr {
	return netip.AddrFrom4([4]byte{172, byte(16 + l.r.IntN(16)), byte(l.r.IntN(256)), byte(l.r.IntN(256))})
}

func (l *liver) dependency(dir model.Direction, exe string, client, server netip.Addr, port uint16, progress bool) model.Document {
	now := time.Now()
	d := model.Dependency{
		Direction: dir, Proto: "tcp", Client: client, Server: server, Port: port, Process: l.process(exe),
		Counters: model.Counters{Connections: l.r.Uint64N(1000), Attempts: 1000}, FirstSeen: now, LastSeen: now, CountingSince: time.Unix(0, int64(l.last.Incarnation)),
	}
	doc := l.doc(model.PackageDependencies, d.Key(), d)
	doc.Progress = progress
	return doc
}
