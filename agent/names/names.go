package names

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"strings"
	"sync"
	"time"

	"cassini/agent/frames/links"
	"cassini/agent/names/answer"
	"cassini/agent/netns"
	"cassini/agent/tell"
	"cassini/model"
)

// dnsPort is where name servers are asked (RFC 1035).
const dnsPort = 53

// Socket hears the answers of one name server in one network namespace: *socket.Socket.
type Socket interface {
	Read() (message []byte, lost uint32, err error)
	Close() error
}

// Config holds what New needs; all fields are required.
type Config struct {
	Host string // the name that documents bear
	// Open makes the socket for a name server in a namespace.
	Open func(ns netns.Namespace, server netip.Addr) (Socket, error)
	// Emit takes documents in the order in which they must arrive. It must not
	// block.
	Emit   func(...model.Document)
	Logger *slog.Logger
}

// Names hears name servers. Run is called once; the other methods are safe for
// concurrent use and do not block.
type Names struct {
	cfg     Config
	links   *links.Queue
	pending pending
	readers sync.WaitGroup

	mu        sync.Mutex
	memory    *memory
	published bool
	open      int
	refused   uint64
	answers   uint64
	malformed uint64
	lost      uint64
}

// New makes a Names that hears nothing yet.
func New(cfg Config) *Names {
	n := &Names{cfg: cfg, links: links.NewQueue(), pending: pending{wake: make(chan struct{}, 1)}}
	n.memory = newMemory(n.emit)
	return n
}

// Link tells of an interface as it stands, or that it went.
func (n *Names) Link(ns netns.Namespace, i model.Interface) { n.links.Put(ns, i) }

// Captured takes documents of dependencies as they are sent: which addresses programs are
// clients of, and which name servers they ask.
func (n *Names) Captured(docs ...model.Document) {
	for _, doc := range docs {
		if doc.Progress && !folded(doc) {
			continue // told before
		}
		d, ok := dialled(doc)
		if !ok {
			continue
		}
		if d.Port == dnsPort {
			n.pending.put(asked{d.Netns, d.Server.WithZone(d.Interface)})
		}
		if doc.Progress {
			continue
		}
		n.mu.Lock()
		n.memory.dial(at{model.LastingNetns(d.NetnsName), d.Server}, time.Now())
		n.mu.Unlock()
	}
}

// folded says whether a document tells of what asks name servers in many network
// namespaces: each time of another.
func folded(doc model.Document) bool {
	const end = "@" + model.NetnsOfLives
	return doc.Package == model.PackageDependencies && (strings.HasSuffix(doc.Key, ":53/udp"+end) || strings.HasSuffix(doc.Key, ":53/tcp"+end))
}

// dial is what is read of the document of a dependency.
type dial struct {
	Direction model.Direction `json:"direction"`
	Server    netip.Addr      `json:"server_addr"`
	Port      uint16          `json:"port"`
	Netns     uint32          `json:"netns"`
	NetnsName string          `json:"netns_name"`
	Interface string          `json:"interface"`
}

// dialled reads the document of a dependency whose client is on this host.
func dialled(doc model.Document) (d dial, ok bool) {
	if doc.Package != model.PackageDependencies || doc.Gone() || doc.Decode(&d) != nil {
		return d, false
	}
	return d, d.Direction == model.Out && d.Server.IsValid()
}

// Run hears until the context ends.
func (n *Names) Run(ctx context.Context) error {
	spaces := make(map[uint32]*space)
	defer func() {
		for _, s := range spaces {
			n.closeAll(s)
		}
		n.readers.Wait()
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.links.Ready():
			for _, l := range n.links.Take() {
				n.followLink(ctx, spaces, l)
			}
		case <-n.pending.wake:
		}
		for _, a := range n.pending.take(spaces) {
			n.listen(ctx, spaces[a.netns], a.server)
		}
	}
}

// hear takes a message of a name server, and how many before it were lost.
func (n *Names) hear(netns, server string, message []byte, lost uint64) {
	a, err := answer.Parse(message)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers++
	n.lost += lost
	if errors.Is(err, answer.ErrMalformed) {
		n.malformed++
		n.cfg.Logger.Debug("answer of a name server left out", "server", server, "error", err)
	}
	if err == nil {
		n.memory.hear(model.LastingNetns(netns), server, a, time.Now())
	}
}

// emit sends the names of an address, or that they are forgotten. Called with mu held.
func (n *Names) emit(a model.Asked, now time.Time) {
	if !n.published {
		return // Publish sends everything as it then stands
	}
	var body any = a
	if a.Names == nil {
		body = nil
	}
	tell.Document(n.cfg.Emit, n.cfg.Logger, model.Name{Host: n.cfg.Host, Package: model.PackageNames, Key: a.Key()}, now, body)
}

// Publish emits what the manager does not remember, and from then on what is new. What
// it remembers is remembered here as well, and what programs were clients of before.
func (n *Names) Publish(remembered []model.Document) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	told := make(map[string]bool)
	var adopted []model.Asked
	for _, doc := range remembered {
		if d, ok := dialled(doc); ok {
			n.memory.dial(at{model.LastingNetns(d.NetnsName), d.Server}, now)
		}
		var a model.Asked
		if doc.Package != model.PackageNames || doc.Gone() || doc.Decode(&a) != nil || !a.Addr.IsValid() || len(a.Names) == 0 {
			continue
		}
		if k, ok := n.memory.heard.get(at{a.Netns, a.Addr}); !ok || len(k.names) == 0 || k.names[0].Name == a.Names[0].Name {
			told[a.Key()] = true
		}
		n.memory.adopt(a, now)
		adopted = append(adopted, model.Asked{Addr: a.Addr, Netns: a.Netns})
	}
	n.published = true
	for _, a := range adopted {
		if _, kept := n.memory.dialled.byKey[at{a.Netns, a.Addr}]; !kept {
			n.emit(a, now) // what followed took its place
		}
	}
	n.memory.all(func(a model.Asked) {
		if !told[a.Key()] {
			n.emit(a, now)
		}
	})
}

func (n *Names) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.open
}

func (n *Names) opened(more int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open += more
}

// Stats reads the figures.
func (n *Names) Stats() model.DNSStats {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := model.DNSStats{
		Resolvers: n.open, Refused: n.refused, Answers: n.answers, Malformed: n.malformed, Lost: n.lost,
		Heard: len(n.memory.heard.byKey), Named: n.memory.named, Forgotten: map[string]uint64{"heard": 0, "dialled": 0},
	}
	maps.Copy(s.Forgotten, n.memory.forgotten)
	return s
}
