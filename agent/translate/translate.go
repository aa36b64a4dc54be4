package translate

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"cassini/agent/frames/links"
	"cassini/agent/netns"
	"cassini/agent/tell"
	"cassini/agent/translate/conntrack"
	"cassini/model"
)

// Socket hears one network namespace: *conntrack.Socket.
type Socket interface {
	Read() (flows []conntrack.Tracked, malformed int, err error)
	Dump(most int) (conntrack.Table, error)
	Empty() bool
	Drain()
	Close() error
}

// Config holds what New needs; all fields are required.
type Config struct {
	Host string // the name that documents bear
	// Open subscribes in a namespace. Errors that wrap conntrack.ErrNotInUse are no news.
	Open func(netns.Namespace) (Socket, error)
	// Emit takes documents in the order in which they must arrive. It must not
	// block.
	Emit   func(...model.Document)
	Logger *slog.Logger
}

// Translate hears translations. Run is called once; the other methods are safe for
// concurrent use and do not block.
type Translate struct {
	cfg     Config
	links   *links.Queue
	readers sync.WaitGroup

	mu        sync.Mutex
	table     *table
	published bool
	open      int
	malformed uint64
	overruns  uint64
}

// New makes a Translate that hears nothing yet.
func New(cfg Config) *Translate {
	return &Translate{cfg: cfg, links: links.NewQueue(), table: newTable()}
}

// Link tells of an interface as it stands, or that it went.
func (t *Translate) Link(ns netns.Namespace, i model.Interface) { t.links.Put(ns, i) }

// space is a network namespace with its interfaces.
type space struct {
	interfaces map[string]struct{}
	socket     Socket
	warned     bool
}

// Run hears until the context ends.
func (t *Translate) Run(ctx context.Context) error {
	spaces := make(map[uint32]*space)
	defer func() {
		for _, s := range spaces {
			t.close(s)
		}
		t.readers.Wait()
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.links.Ready():
			for _, l := range t.links.Take() {
				t.follow(ctx, spaces, l)
			}
		}
	}
}

// follow takes an interface. Where connection tracking is not in use yet, it is looked for
// again whenever one moves: what begins to translate makes bridges and addresses.
func (t *Translate) follow(ctx context.Context, spaces map[uint32]*space, l links.Moved) {
	s := spaces[l.NS.Inode]
	if s == nil {
		s = &space{interfaces: make(map[string]struct{})}
		spaces[l.NS.Inode] = s
	}
	if l.State != model.InterfacePresent {
		delete(s.interfaces, l.Name)
		if len(s.interfaces) == 0 { // a socket alone would keep the namespace
			t.close(s)
			delete(spaces, l.NS.Inode)
		}
		return
	}
	s.interfaces[l.Name] = struct{}{}
	if s.socket == nil {
		t.listen(ctx, s, l.NS)
	}
}

func (t *Translate) listen(ctx context.Context, s *space, ns netns.Namespace) {
	socket, err := t.cfg.Open(ns)
	if err != nil {
		if !s.warned && !errors.Is(err, conntrack.ErrNotInUse) {
			t.cfg.Logger.Warn("translated connections are not told of", "namespace", ns.Path, "error", err)
			s.warned = true
		}
		return
	}
	s.socket = socket
	t.mu.Lock()
	t.open++
	t.mu.Unlock()
	t.readers.Go(func() { t.read(ctx, ns.Name, socket) })
}

func (t *Translate) close(s *space) {
	if s.socket == nil {
		return
	}
	_ = s.socket.Close()
	s.socket = nil
	t.mu.Lock()
	t.open--
	t.mu.Unlock()
}

// heard takes flows that begin. A translation that was not known is told at once.
func (t *Translate) heard(netns string, flows []conntrack.Tracked, malformed int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.malformed += uint64(malformed)
	for _, f := range flows {
		if e := t.table.began(netns, f.Flow, now); !e.sent {
			t.tell(e, now)
		}
	}
}

// tell sends a translation as it stands. Called with mu held.
func (t *Translate) tell(e *entry, now time.Time) {
	if !t.published {
		return // Publish sends everything as it then stands
	}
	name := model.Name{Host: t.cfg.Host, Package: model.PackageTranslations, Key: e.Key()}
	tell.Document(func(docs ...model.Document) {
		for i := range docs {
			docs[i].Progress = e.sent
		}
		t.cfg.Emit(docs...)
	}, t.cfg.Logger, name, now, e.Translation)
	e.told, e.sent = true, true
}

// Refresh tells of all flows that were counted since they were last told.
func (t *Translate) Refresh() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for _, e := range t.table.moved() {
		t.tell(e, now)
	}
}

// Publish tells everything as it stands, and from then on what is new. What the manager
// remembers of earlier runs is added up there.
func (t *Translate) Publish() {
	t.mu.Lock()
	t.published = true
	t.mu.Unlock()
	t.Refresh()
}

// Stats reads the figures.
func (t *Translate) Stats() model.TranslationStats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return model.TranslationStats{
		Namespaces: t.open, Known: len(t.table.entries), Limit: limit, Flows: t.table.flows,
		Malformed: t.malformed, Overruns: t.overruns, Forgotten: t.table.forgotten,
	}
}
