// Package overhear hears what machines tell everyone on the wire, by ARP, neighbour
// discovery and DHCP, and hands it to whoever remembers other machines. It sends
// nothing, and wakes for news alone: the kernel side holds back what was heard before.
package overhear

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"sync"

	"cassini/agent/frames/announce"
	"cassini/agent/frames/links"
	"cassini/agent/frames/socket"
	"cassini/agent/netns"
	"cassini/bpf"
	"cassini/model"
)

// Socket hears announcements in one network namespace: *socket.Announcements.
type Socket interface {
	Read() (socket.Announcement, error)
	Forget(ifindex int) error
	Counters() (bpf.AnnounceCounters, error)
	Close() error
}

// Strangers remembers other machines: *strangers.Strangers.
type Strangers interface {
	Meet(model.Seen)
	Ask(model.DHCP)
	Serve(model.DHCPServer)
}

// Config holds what New needs; all fields are required.
type Config struct {
	// Open makes the socket of a namespace.
	Open      func(ns netns.Namespace) (Socket, error)
	Strangers Strangers
	Logger    *slog.Logger
}

// Overhear listens in the namespaces whose links it is told of, if they reach the
// wire. Run is called once; the other methods are safe for concurrent use.
type Overhear struct {
	cfg   Config
	links *links.Queue

	mu        sync.Mutex
	sockets   map[uint32]Socket
	closed    bpf.AnnounceCounters // of sockets that are closed
	malformed map[string]uint64
}

// heard is an announcement and the namespace where it came in.
type heard struct {
	ns uint32
	socket.Announcement
}

// space is a namespace with its interfaces.
type space struct {
	name   string
	names  map[int]string // of interfaces that have hardware addresses, by index
	wired  map[int]bool   // those that reach the wire
	socket Socket
}

// New makes an Overhear that hears nothing yet.
func New(cfg Config) *Overhear {
	return &Overhear{cfg: cfg, links: links.NewQueue(), sockets: make(map[uint32]Socket), malformed: make(map[string]uint64)}
}

// Link tells of an interface as it stands, or that it went. It does not block.
func (o *Overhear) Link(ns netns.Namespace, i model.Interface) { o.links.Put(ns, i) }

// Run listens until the context ends.
func (o *Overhear) Run(ctx context.Context) error {
	var readers sync.WaitGroup
	spaces := make(map[uint32]*space)
	in := make(chan heard)
	defer func() {
		socket.Together(maps.Keys(spaces), func(inode uint32) { o.close(inode, spaces[inode]) })
		readers.Wait()
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-o.links.Ready():
			for _, l := range o.links.Take() {
				o.follow(ctx, spaces, l, in, &readers)
			}
		case h := <-in:
			if s := spaces[h.ns]; s != nil {
				o.hear(s, h.Announcement)
			}
		}
	}
}

// follow takes an interface as it stands now, and listens where one reaches the wire.
func (o *Overhear) follow(ctx context.Context, spaces map[uint32]*space, l links.Moved, in chan<- heard, readers *sync.WaitGroup) {
	s := spaces[l.NS.Inode]
	if s == nil {
		s = &space{name: l.NS.Name, names: make(map[int]string), wired: make(map[int]bool)}
		spaces[l.NS.Inode] = s
	}
	if l.State == model.InterfacePresent && links.Ethernet(l.Interface) {
		s.names[l.Index] = l.Name
		s.wired[l.Index] = reachesWire(l.NS, l.Kind)
		if !s.wired[l.Index] {
			delete(s.wired, l.Index)
		}
	} else if s.names[l.Index] == l.Name {
		delete(s.names, l.Index)
		delete(s.wired, l.Index)
		if s.socket != nil {
			_ = s.socket.Forget(l.Index) // it may never have been heard
		}
	}
	switch {
	case len(s.wired) == 0: // the socket alone would keep the namespace
		o.close(l.NS.Inode, s)
		if len(s.names) == 0 {
			delete(spaces, l.NS.Inode)
		}
	case s.socket == nil:
		o.open(ctx, l.NS, s, in, readers)
	}
}

// open listens in a namespace; where that fails, it is tried again with the next link.
func (o *Overhear) open(ctx context.Context, ns netns.Namespace, s *space, in chan<- heard, readers *sync.WaitGroup) {
	opened, err := o.cfg.Open(ns)
	if err != nil {
		o.cfg.Logger.Log(context.Background(), netns.Level(err), "ARP, neighbour discovery and DHCP are not heard in a network namespace", "namespace", ns.Path, "error", err)
		return
	}
	s.socket = opened
	o.mu.Lock()
	o.sockets[ns.Inode] = opened
	o.mu.Unlock()
	readers.Go(func() { o.read(ctx, ns.Inode, opened, in) })
}

func (o *Overhear) close(inode uint32, s *space) {
	if s.socket == nil {
		return
	}
	counters, _ := s.socket.Counters()
	_ = s.socket.Close()
	s.socket = nil
	o.mu.Lock()
	add(&o.closed, counters)
	delete(o.sockets, inode)
	o.mu.Unlock()
}

// reachesWire says whether an interface sees machines that this host's own namespace
// does not see as well. A container behind a bridge sees what the bridge sees.
func reachesWire(ns netns.Namespace, kind string) bool {
	switch kind {
	case "device", "macvlan", "macvtap", "ipvlan", "vlan", "bond", "team":
		return true
	}
	return ns.Name == ""
}

// read brings announcements of one namespace until its socket is closed.
func (o *Overhear) read(ctx context.Context, ns uint32, s Socket, in chan<- heard) {
	for {
		a, err := s.Read()
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
				o.cfg.Logger.Error("ARP, neighbour discovery and DHCP are not heard any more in a network namespace", "error", err)
			}
			return
		}
		select {
		case in <- heard{ns, a}:
		case <-ctx.Done():
			return
		}
	}
}

// hear decodes an announcement and hands on what it says.
func (o *Overhear) hear(s *space, a socket.Announcement) {
	name := s.names[a.IfIndex]
	if name == "" {
		return // the loopback, or it left while the announcement waited
	}
	by, err := model.SeenByARP, error(nil)
	switch a.What {
	case bpf.ARP, bpf.ND:
		err = o.meet(s, name, a)
		if a.What == bpf.ND {
			by = model.SeenByND
		}
	case bpf.DHCP:
		by, err = model.SeenByDHCP, o.asked(s, name, a.Data)
	}
	if err != nil {
		o.mu.Lock()
		o.malformed[by]++
		o.mu.Unlock()
		o.cfg.Logger.Debug("announcement left out", "interface", name, "error", err)
	}
}

func (o *Overhear) meet(s *space, name string, a socket.Announcement) error {
	by, read := model.SeenByARP, func() (announce.Address, error) { return announce.ARP(a.Data) }
	if a.What == bpf.ND {
		by, read = model.SeenByND, func() (announce.Address, error) { return announce.ND(a.Data, a.From) }
	}
	said, err := read()
	if err != nil {
		return err
	}
	o.cfg.Strangers.Meet(model.Seen{Interface: name, Netns: s.name, Addr: said.Addr, MAC: said.MAC, Router: said.Router, By: by})
	return nil
}

func (o *Overhear) asked(s *space, name string, packet []byte) error {
	c, err := announce.DHCP(packet)
	if err != nil {
		return err
	}
	if c.Server.IsValid() {
		o.cfg.Strangers.Serve(model.DHCPServer{Interface: name, Netns: s.name, Addr: c.Server})
	}
	if c.Answer && !c.Addr.IsValid() {
		return nil // an offer, which may not be taken
	}
	asked := model.DHCP{Interface: name, Netns: s.name, MAC: c.MAC, HostName: c.HostName, VendorClass: c.VendorClass, PXE: c.PXE, Addr: c.Addr}
	if c.Addr.IsValid() {
		asked.Server = c.Server
	}
	o.cfg.Strangers.Ask(asked)
	return nil
}

// Stats reads the figures.
func (o *Overhear) Stats() model.AnnounceStats {
	o.mu.Lock()
	defer o.mu.Unlock()
	sum := o.closed
	for _, s := range o.sockets {
		if c, err := s.Counters(); err == nil {
			add(&sum, c)
		}
	}
	return model.AnnounceStats{
		Namespaces: len(o.sockets),
		Heard:      map[string]uint64{model.SeenByARP: sum.Arp, model.SeenByND: sum.Nd, model.SeenByDHCP: sum.Dhcp},
		Malformed:  map[string]uint64{model.SeenByARP: o.malformed[model.SeenByARP], model.SeenByND: o.malformed[model.SeenByND], model.SeenByDHCP: o.malformed[model.SeenByDHCP]},
		Known:      sum.Known, Limited: sum.Limited,
	}
}

func add(sum *bpf.AnnounceCounters, c bpf.AnnounceCounters) {
	sum.Arp += c.Arp
	sum.Nd += c.Nd
	sum.Dhcp += c.Dhcp
	sum.Known += c.Known
	sum.Limited += c.Limited
}
