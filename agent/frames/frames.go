package frames

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"cassini/agent/frames/discovery"
	"cassini/agent/frames/links"
	"cassini/agent/frames/socket"
	"cassini/agent/frames/wire"
	"cassini/agent/netns"
	"cassini/agent/tell"
	"cassini/model"
)

// Socket hears discovery frames in one network namespace: *socket.Socket.
type Socket interface {
	Join(ifindex int, bridged bool) error
	Leave(ifindex int) error
	Lost() uint64
	Limited() uint64
	Read() (socket.Frame, error)
	Close() error
}

// Config holds what New needs; all fields are required.
type Config struct {
	Host string // the name that documents bear
	// Open makes the socket of a namespace.
	Open func(ns netns.Namespace) (Socket, error)
	// Emit takes documents in the order in which they must arrive. It must not
	// block.
	Emit   func(...model.Document)
	Logger *slog.Logger
}

// Frames listens on the links that it is told of. Run is called once; the other
// methods are safe for concurrent use.
type Frames struct {
	cfg   Config
	links *links.Queue

	mu        sync.Mutex
	table     *neighbors
	up        map[port]bool // interfaces that are listened on and have a carrier
	lost      uint64        // by sockets that are closed
	limited   uint64        // likewise
	sockets   map[uint32]Socket
	published bool
	frames    map[string]uint64
	malformed map[string]uint64
}

// heardFrame is a frame and where it came in.
type heardFrame struct {
	ns uint32
	socket.Frame
}

// space is the socket of a namespace, with the interfaces that it listens on.
type space struct {
	name    string
	socket  Socket
	indexes map[int]string
	bridges map[string]bool // names of bridges
}

// New makes Frames that hear nothing yet.
func New(cfg Config) *Frames {
	return &Frames{
		cfg:       cfg,
		links:     links.NewQueue(),
		table:     newNeighbors(),
		up:        make(map[port]bool),
		sockets:   make(map[uint32]Socket),
		frames:    make(map[string]uint64),
		malformed: make(map[string]uint64),
	}
}

// Link tells of an interface as it stands, or that it went. It does not block.
func (f *Frames) Link(ns netns.Namespace, i model.Interface) { f.links.Put(ns, i) }

// Run listens until the context ends.
func (f *Frames) Run(ctx context.Context) error {
	var readers sync.WaitGroup
	spaces := make(map[uint32]*space)
	in := make(chan heardFrame)
	defer func() {
		socket.Together(maps.Keys(spaces), func(inode uint32) { f.close(inode, spaces[inode]) })
		readers.Wait()
	}()
	for {
		silence := time.NewTimer(f.untilSilence())
		select {
		case <-ctx.Done():
			silence.Stop()
			return nil
		case <-f.links.Ready():
			for _, l := range f.links.Take() {
				f.follow(ctx, spaces, l, in, &readers)
			}
		case h := <-in:
			if s := spaces[h.ns]; s != nil {
				f.hear(s, h.Frame)
			}
		case <-silence.C:
			f.change(func(now time.Time) []model.Neighbor { return f.table.expire(now) })
		}
		silence.Stop()
	}
}

// never stands for a wait that nothing ends but an event.
const never = 1 << 62

func (f *Frames) untilSilence() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at, ok := f.table.next(); ok {
		return max(time.Until(at), 0)
	}
	return never
}

// change makes a change of the table and emits what it brings.
func (f *Frames) change(fn func(now time.Time) []model.Neighbor) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	for _, n := range fn(now) {
		f.emit(n, now)
	}
}

func (f *Frames) emit(n model.Neighbor, now time.Time) {
	if !f.published {
		return // Publish sends everything as it then stands
	}
	tell.Document(f.cfg.Emit, f.cfg.Logger, model.Name{Host: f.cfg.Host, Package: model.PackageNeighbors, Key: n.Key()}, now, n)
}

// follow begins or ends to listen on a link.
func (f *Frames) follow(ctx context.Context, spaces map[uint32]*space, l links.Moved, in chan<- heardFrame, readers *sync.WaitGroup) {
	s := spaces[l.NS.Inode]
	if s == nil {
		s = &space{name: l.NS.Name, indexes: make(map[int]string), bridges: make(map[string]bool)}
		spaces[l.NS.Inode] = s
	}
	there := l.State == model.InterfacePresent
	if l.Kind == "bridge" {
		s.bridges[l.Name] = there
	}
	there = there && listenable(l.Interface)
	if there {
		there = f.join(ctx, s, l, in, readers)
	} else if s.indexes[l.Index] == l.Name && l.Name != "" {
		_ = s.socket.Leave(l.Index) // it may have gone, and its membership with it
		delete(s.indexes, l.Index)
	}
	if len(s.indexes) == 0 { // the socket alone would keep the namespace
		f.close(l.NS.Inode, s)
		if l.State != model.InterfacePresent {
			delete(spaces, l.NS.Inode)
		}
	}
	p := port{l.Netns, l.Name}
	f.change(func(now time.Time) []model.Neighbor {
		if there && l.Carrier != 0 {
			f.up[p] = true
			return nil
		}
		delete(f.up, p)
		return f.table.unplug(p, now)
	})
}

// join listens on a link, in a socket that is opened with the first.
func (f *Frames) join(ctx context.Context, s *space, l links.Moved, in chan<- heardFrame, readers *sync.WaitGroup) bool {
	if s.socket == nil {
		opened, err := f.cfg.Open(l.NS)
		if err != nil {
			f.cfg.Logger.Log(ctx, netns.Level(err), "LLDP and CDP are not heard in a network namespace", "namespace", l.NS.Path, "error", err)
			return false
		}
		s.socket = opened
		f.mu.Lock()
		f.sockets[l.NS.Inode] = opened
		f.mu.Unlock()
		readers.Go(func() { f.read(ctx, l.NS.Inode, opened, in) })
	}
	bridge, known := s.bridges[l.Master]
	if err := s.socket.Join(l.Index, l.Master != "" && (bridge || !known)); err != nil {
		f.cfg.Logger.Log(ctx, netns.Level(err), "LLDP and CDP are not heard on an interface", "interface", l.Name, "error", err)
		return false
	}
	s.indexes[l.Index] = l.Name
	return true
}

// close ends a namespace's socket.
func (f *Frames) close(inode uint32, s *space) {
	if s.socket == nil {
		return
	}
	lost, limited := s.socket.Lost(), s.socket.Limited()
	_ = s.socket.Close()
	s.socket = nil
	f.mu.Lock()
	f.lost += lost
	f.limited += limited
	delete(f.sockets, inode)
	f.mu.Unlock()
}

// listenable says whether an interface can be the end of a cable: an Ethernet
// device, also a slave of a bond or a port of a bridge, or an end of a veth pair.
func listenable(i model.Interface) bool {
	return links.Ethernet(i) && (i.Kind == "device" || i.Kind == "veth")
}

// read brings frames of one namespace until its socket is closed.
func (f *Frames) read(ctx context.Context, ns uint32, s Socket, in chan<- heardFrame) {
	for {
		frame, err := s.Read()
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
				f.cfg.Logger.Error("LLDP and CDP are not heard any more in a network namespace", "error", err)
			}
			return
		}
		select {
		case in <- heardFrame{ns, frame}:
		case <-ctx.Done():
			return
		}
	}
}

// hear decodes a frame and takes what it says.
func (f *Frames) hear(s *space, frame socket.Frame) {
	name := s.indexes[frame.IfIndex]
	if name == "" {
		return // it left while the frame waited
	}
	w, ok := wire.Unwrap(frame.Data)
	if !ok {
		return
	}
	said, err := discovery.Read(w)
	f.change(func(now time.Time) []model.Neighbor {
		f.frames[said.Protocol]++
		if err != nil {
			f.malformed[said.Protocol]++
			f.cfg.Logger.Debug("discovery frame left out", "interface", name, "error", err)
			return nil
		}
		if said.FrameVLAN == 0 {
			said.FrameVLAN = frame.VLAN
		}
		return f.table.hear(port{s.name, name}, said, now)
	})
}

// Publish emits what differs from what the manager remembers, and from then on
// what changes. Neighbors that it remembers on links that are up are waited for as
// long as they said themselves.
func (f *Frames) Publish(remembered []model.Document) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.published = true
	now := time.Now()
	known := make(map[string]string)
	for _, doc := range remembered {
		var n model.Neighbor
		if doc.Package != model.PackageNeighbors || doc.Decode(&n) != nil {
			continue
		}
		known[doc.Key] = string(doc.Body)
		if n.State != model.NeighborPresent {
			continue
		}
		if f.isUp(port{n.Netns, n.Interface}) {
			f.table.adopt(n, now)
			continue
		}
		n.State, n.Ended = model.NeighborUnheard, now.UTC()
		f.emit(n, now)
	}
	f.table.all(func(n model.Neighbor) {
		name := model.Name{Host: f.cfg.Host, Package: model.PackageNeighbors, Key: n.Key()}
		if doc, err := model.NewDocument(name, now, n); err == nil && string(doc.Body) == known[name.Key] {
			return
		}
		f.emit(n, now)
	})
	f.links.Wake() // what was adopted is waited for
}

// isUp says whether an interface is listened on, or is about to be.
func (f *Frames) isUp(p port) bool {
	if i, ok := f.links.Latest(p.netns, p.name); ok {
		return i.State == model.InterfacePresent && listenable(i) && i.Carrier != 0
	}
	return f.up[p]
}

// Neighbors are those that are heard, sorted by key.
func (f *Frames) Neighbors() (list []model.Neighbor) {
	f.mu.Lock()
	f.table.all(func(n model.Neighbor) { list = append(list, n) })
	f.mu.Unlock()
	slices.SortFunc(list, func(a, b model.Neighbor) int { return strings.Compare(a.Key(), b.Key()) })
	return list
}

// Stats reads the figures.
func (f *Frames) Stats() model.FrameStats {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := model.FrameStats{
		Frames:    byProtocol(f.frames),
		Malformed: byProtocol(f.malformed),
		Refused:   f.table.refused,
		Limited:   f.limited,
		Lost:      f.lost,
		Links:     len(f.up),
	}
	for _, socket := range f.sockets {
		s.Lost += socket.Lost()
		s.Limited += socket.Limited()
	}
	f.table.all(func(model.Neighbor) { s.Neighbors++ })
	return s
}

// byProtocol are counts of every protocol, also of those that were not heard.
func byProtocol(counts map[string]uint64) map[string]uint64 {
	all := make(map[string]uint64)
	for _, p := range []string{model.LLDP, model.CDP, model.FDP} {
		all[p] = counts[p]
	}
	return all
}
