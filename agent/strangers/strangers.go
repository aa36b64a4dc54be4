// Package strangers remembers which other machines this host met on the wire, by
// whatever told of them, and tells the manager what is new of them.
package strangers

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	"cassini/model"
)

// Limits of what is remembered: whoever is on the wire can invent machines. The
// first to come are kept.
const (
	MaxOfInterface = 1024
	Max            = 8192
)

// disputed is how soon an address must go back to where it was for two machines to
// be claiming it; a failover is not back within it.
const disputed = time.Minute

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
	seen      map[string]model.Seen // by document key
	clients   map[string]model.DHCP // likewise
	servers   map[string]model.DHCPServer
	of        map[[2]string]int // how many of an interface: namespace, name
	refused   uint64
}

// New makes an empty memory.
func New(cfg Config) *Strangers {
	return &Strangers{
		cfg:     cfg,
		seen:    make(map[string]model.Seen),
		clients: make(map[string]model.DHCP),
		servers: make(map[string]model.DHCPServer),
		of:      make(map[[2]string]int),
	}
}

// Meet takes an address of another machine; its times are set here.
func (s *Strangers) Meet(met model.Seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	key := met.Key()
	before, known := s.seen[key]
	if !known && !s.room(met.Netns, met.Interface) {
		return
	}
	met.FirstSeen, met.Changed = now.UTC(), now.UTC()
	if known {
		met = again(before, met, now)
		if met == before {
			return
		}
	}
	s.seen[key] = met
	if known && before.Conflict == met.Conflict && now.Sub(met.Conflict) <= disputed {
		return // the dispute goes on, as was told
	}
	s.emit(model.PackageSeen, key, met, now)
}

// again is how an address that was met before stands now.
func again(before, met model.Seen, now time.Time) model.Seen {
	met.By, met.FirstSeen, met.Conflict = before.By, before.FirstSeen, before.Conflict
	met.Router = met.Router || before.Router && met.MAC == before.MAC
	if met.MAC == before.MAC {
		met.Changed, met.Before = before.Changed, before.Before
		return met
	}
	met.Before = before.MAC
	if met.MAC == before.Before && now.Sub(before.Changed) < disputed && now.Sub(before.Conflict) > disputed {
		met.Conflict = now.UTC()
	}
	return met
}

// Ask takes what a machine said when it asked for an address; its times are set
// here. What it leaves out stays as it was last said.
func (s *Strangers) Ask(asked model.DHCP) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	key := asked.Key()
	before, known := s.clients[key]
	if !known && !s.room(asked.Netns, asked.Interface) {
		return
	}
	asked.FirstSeen, asked.Changed = now.UTC(), now.UTC()
	if known {
		asked.FirstSeen, asked.Changed = before.FirstSeen, before.Changed
		fill(&asked, before)
		if asked == before {
			return
		}
		asked.Changed = now.UTC()
	}
	s.clients[key] = asked
	s.emit(model.PackageDHCP, key, asked, now)
}

// pxeClient begins the vendor class of firmware (Preboot Execution Environment
// specification 2.1, 2.2.3).
const pxeClient = "PXEClient"

// Serve takes a DHCP server; its time is set here.
func (s *Strangers) Serve(server model.DHCPServer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	key := server.Key()
	if _, known := s.servers[key]; known || !s.room(server.Netns, server.Interface) {
		return
	}
	server.FirstSeen = now.UTC()
	s.servers[key] = server
	s.emit(model.PackageDHCPServers, key, server, now)
}

// fill completes what a client said with what it said before. Firmware asks before
// the system that it starts does, so that what names the system wins.
func fill(asked *model.DHCP, before model.DHCP) {
	if asked.PXE && before.VendorClass != "" && !strings.HasPrefix(before.VendorClass, pxeClient) {
		asked.VendorClass = ""
	}
	asked.PXE = asked.PXE || before.PXE
	for _, field := range []struct{ now, before *string }{{&asked.HostName, &before.HostName}, {&asked.VendorClass, &before.VendorClass}} {
		if *field.now == "" {
			*field.now = *field.before
		}
	}
	if !asked.Addr.IsValid() {
		asked.Addr = before.Addr
	}
	if !asked.Server.IsValid() {
		asked.Server = before.Server
	}
}

// room takes a place for one more of an interface, if there is one. Called with mu
// held.
func (s *Strangers) room(netns, iface string) bool {
	at := [2]string{netns, iface}
	if len(s.seen)+len(s.clients)+len(s.servers) >= Max || s.of[at] >= MaxOfInterface {
		s.refused++
		return false
	}
	s.of[at]++
	return true
}

func (s *Strangers) emit(pkg, key string, body any, now time.Time) {
	if !s.published {
		return // Publish sends everything as it then stands
	}
	doc, err := model.NewDocument(model.Name{Host: s.cfg.Host, Package: pkg, Key: key}, now, body)
	if err != nil {
		s.cfg.Logger.Error("encode what is known of another machine", "error", err)
		return
	}
	s.cfg.Emit(doc)
}

// Publish emits what differs from what the manager remembers, and from then on what
// is new. What the manager remembers is remembered here as well.
func (s *Strangers) Publish(remembered []model.Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = true
	now := time.Now()
	told := make(map[string]bool)
	for _, doc := range remembered {
		switch doc.Package {
		case model.PackageSeen:
			told[doc.Package+doc.Key] = s.recallSeen(doc, now)
		case model.PackageDHCP:
			told[doc.Package+doc.Key] = s.recallDHCP(doc)
		case model.PackageDHCPServers:
			told[doc.Package+doc.Key] = s.recallServer(doc)
		}
	}
	for key, met := range s.seen {
		if !told[model.PackageSeen+key] {
			s.emit(model.PackageSeen, key, met, now)
		}
	}
	for key, server := range s.servers {
		if !told[model.PackageDHCPServers+key] {
			s.emit(model.PackageDHCPServers, key, server, now)
		}
	}
	for key, asked := range s.clients {
		if !told[model.PackageDHCP+key] {
			s.emit(model.PackageDHCP, key, asked, now)
		}
	}
}

// recallSeen joins what the manager remembers with what was met since the start. It
// returns whether the manager knows how that stands now.
func (s *Strangers) recallSeen(doc model.Document, now time.Time) bool {
	var before model.Seen
	if doc.Decode(&before) != nil || before.Key() != doc.Key {
		return false
	}
	met, known := s.seen[doc.Key]
	if !known {
		if s.room(before.Netns, before.Interface) {
			s.seen[doc.Key] = before
		}
		return true
	}
	met = again(before, met, now)
	s.seen[doc.Key] = met
	return met == before
}

func (s *Strangers) recallDHCP(doc model.Document) bool {
	var before model.DHCP
	if doc.Decode(&before) != nil || before.Key() != doc.Key {
		return false
	}
	asked, known := s.clients[doc.Key]
	if !known {
		if s.room(before.Netns, before.Interface) {
			s.clients[doc.Key] = before
		}
		return true
	}
	changed := asked.Changed
	asked.FirstSeen, asked.Changed = before.FirstSeen, before.Changed
	fill(&asked, before)
	same := asked == before
	if !same {
		asked.Changed = changed
	}
	s.clients[doc.Key] = asked
	return same
}

func (s *Strangers) recallServer(doc model.Document) bool {
	var before model.DHCPServer
	if doc.Decode(&before) != nil || before.Key() != doc.Key {
		return false
	}
	if _, known := s.servers[doc.Key]; known || s.room(before.Netns, before.Interface) {
		s.servers[doc.Key] = before
	}
	return true
}

// Stats reads the figures.
func (s *Strangers) Stats() model.StrangerStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return model.StrangerStats{Addresses: len(s.seen), Clients: len(s.clients), Servers: len(s.servers), Refused: s.refused}
}
