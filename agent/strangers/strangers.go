// Package strangers remembers which other machines this host met on the wire, by
// whatever told of them, and tells the manager what is new of them.
//
// memory.go is how one kind of thing is remembered, join.go how each kind stands when
// it is told again.
package strangers

import (
	"log/slog"
	"sync"
	"time"

	"cassini/model"
)

// Limits of what is remembered: whoever is on the wire can invent machines. The
// first to come are kept, until the interface goes.
const (
	MaxOfInterface = 1024
	Max            = 8192
)

// Config holds what New needs; all fields are required.
type Config struct {
	Host string // the name that documents bear
	// Emit takes documents in the order in which they must arrive. It must not
	// block.
	Emit   func(...model.Document)
	Logger *slog.Logger
}

// Strangers is the memory. Its methods are safe for concurrent use.
type Strangers struct {
	cfg Config

	mu        sync.Mutex
	published bool
	there     map[place]bool // interfaces
	of        map[place]int  // how many things are remembered of an interface
	sum       int            // of all interfaces
	refused   uint64

	seen       memory[model.Seen]
	clients    memory[model.DHCP]
	servers    memory[model.DHCPServer]
	forwarding memory[model.Forwarding]
}

// New makes an empty memory.
func New(cfg Config) *Strangers {
	s := &Strangers{cfg: cfg, there: make(map[place]bool), of: make(map[place]int)}
	s.seen = memory[model.Seen]{
		Strangers: s, pkg: model.PackageSeen, join: joinSeen, all: make(map[string]model.Seen),
		at: func(m model.Seen) place { return place{m.Netns, m.Interface} },
	}
	s.clients = memory[model.DHCP]{
		Strangers: s, pkg: model.PackageDHCP, join: joinClient, all: make(map[string]model.DHCP),
		at: func(d model.DHCP) place { return place{d.Netns, d.Interface} },
	}
	s.servers = memory[model.DHCPServer]{
		Strangers: s, pkg: model.PackageDHCPServers, join: joinServer, all: make(map[string]model.DHCPServer),
		at: func(d model.DHCPServer) place { return place{d.Netns, d.Interface} },
	}
	s.forwarding = memory[model.Forwarding]{
		Strangers: s, pkg: model.PackageForwarding, join: joinForwarding, all: make(map[string]model.Forwarding),
		at: func(f model.Forwarding) place { return place{f.Netns, f.Port} },
	}
	return s
}

// Meet takes an address of another machine; its times are set here.
func (s *Strangers) Meet(met model.Seen) {
	now := time.Now()
	met.FirstSeen, met.Changed = now.UTC(), now.UTC()
	s.seen.take(met, now)
}

// Ask takes what a machine said when it asked for an address; its times are set
// here. What it leaves out stays as it was last said.
func (s *Strangers) Ask(asked model.DHCP) {
	now := time.Now()
	asked.FirstSeen, asked.Changed = now.UTC(), now.UTC()
	s.clients.take(asked, now)
}

// Serve takes a DHCP server; its time is set here.
func (s *Strangers) Serve(server model.DHCPServer) {
	now := time.Now()
	server.FirstSeen = now.UTC()
	s.servers.take(server, now)
}

// Learn takes behind which port of a bridge a machine is; its times are set here.
func (s *Strangers) Learn(entry model.Forwarding) {
	now := time.Now()
	entry.FirstSeen, entry.Changed = now.UTC(), now.UTC()
	s.forwarding.take(entry, now)
}

// Link takes an interface as it stands, or that it went: with it goes what was met
// there.
func (s *Strangers) Link(i model.Interface) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := place{i.Netns, i.Name}
	if i.State == model.InterfacePresent {
		s.there[at] = true
		return
	}
	delete(s.there, at)
	now := time.Now()
	s.seen.forget(at, now)
	s.clients.forget(at, now)
	s.servers.forget(at, now)
	s.forwarding.forget(at, now)
}

// Publish emits what differs from what the manager remembers, and from then on what
// is new. What the manager remembers is remembered here as well, of interfaces that
// are there.
func (s *Strangers) Publish(remembered []model.Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = true
	now := time.Now()
	s.seen.publish(remembered, now)
	s.clients.publish(remembered, now)
	s.servers.publish(remembered, now)
	s.forwarding.publish(remembered, now)
}

// Stats reads the figures.
func (s *Strangers) Stats() model.StrangerStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return model.StrangerStats{
		Addresses: len(s.seen.all), Clients: len(s.clients.all), Servers: len(s.servers.all), Forwarding: len(s.forwarding.all),
		Refused: s.refused,
	}
}
