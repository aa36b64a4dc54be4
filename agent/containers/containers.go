package containers

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"cassini/agent/containers/found"
	"cassini/agent/tell"
	"cassini/model"
)

// timeout bounds one question to all sources.
const timeout = 3 * time.Second

// Config holds what New needs; all fields are required.
type Config struct {
	Host    string   // the name that documents bear
	Sources []Source // asked in this order
	// Alive says whether a cgroup is still there: what has ended makes room first.
	Alive func(cgroup string) bool
	// Emit takes documents in the order in which they must arrive. It must not
	// block.
	Emit   func(...model.Document)
	Logger *slog.Logger
}

// Containers finds the names of containers. Run is called once; the other methods are
// safe for concurrent use.
type Containers struct {
	cfg  Config
	wake chan struct{}

	mu        sync.Mutex
	table     *table
	published bool
	found     map[string]uint64
	failed    map[string]uint64
	forgotten uint64
}

// New makes a Containers that asks nobody yet.
func New(cfg Config) *Containers {
	return &Containers{
		cfg: cfg, wake: make(chan struct{}, 1), table: newTable(Max, cfg.Alive),
		found: make(map[string]uint64), failed: make(map[string]uint64),
	}
}

// Seen takes the first sign of a process in a container: where it lives, and the path of
// its cgroup. It does not block.
func (c *Containers) Seen(home model.Home, cgroup string) {
	if home.Runtime == model.RuntimeNspawn { // its name is its id, and nobody tells more
		return
	}
	c.mu.Lock()
	c.forget(c.table.see(home, cgroup, time.Now()))
	unasked := len(c.table.queue) > 0
	c.mu.Unlock()
	if !unasked { // most processes are in containers that are known
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run asks until the context ends.
func (c *Containers) Run(ctx context.Context) error {
	for {
		c.mu.Lock()
		e, wait := c.table.next(time.Now())
		c.mu.Unlock()
		if e != nil {
			c.ask(ctx, e)
			if ctx.Err() != nil {
				return nil
			}
			continue
		}
		if !c.sleep(ctx, wait) {
			return nil
		}
	}
}

// sleep waits for a question, or for a retry that is due; 0 waits for a question alone.
func (c *Containers) sleep(ctx context.Context, wait time.Duration) bool {
	var due <-chan time.Time
	if wait > 0 {
		due = time.After(wait)
	}
	select {
	case <-ctx.Done():
		return false
	case <-c.wake:
	case <-due:
	}
	return true
}

func (c *Containers) ask(ctx context.Context, e *entry) {
	asking, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := find(asking, c.cfg.Sources, e.home)
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		why := reason(err)
		c.failed[why]++
		c.table.answered(e, nil, now)
		c.cfg.Logger.Debug("the name of a container is not known", "container", e.home.ContainerID, "runtime", e.home.Runtime, "reason", why, "error", err)
		return
	}
	c.found[answer.Source]++
	answer = found.Clean(answer)
	answer.Found = now.UTC()
	if answer.PodUID == "" {
		answer.PodUID = e.home.PodUID
	}
	c.table.answered(e, &answer, now)
	if e.told == nil || !same(*e.told, answer) {
		c.emit(answer.ID, &answer, now)
	}
}

// forget tells the manager of containers that made room.
func (c *Containers) forget(list []*entry) {
	for _, e := range list {
		c.forgotten++
		if e.found != nil || e.told != nil {
			c.emit(e.home.ContainerID, nil, time.Now())
		}
	}
}

// emit sends a container, or with nil that it is forgotten. Called with mu held.
func (c *Containers) emit(id string, body *model.Container, now time.Time) {
	if !c.published {
		return // Publish sends everything as it then stands
	}
	tell.Document(c.cfg.Emit, c.cfg.Logger, model.Name{Host: c.cfg.Host, Package: model.PackageContainers, Key: id}, now, body)
}

// Publish emits what the manager does not remember, and from then on what is new.
// Containers that only the manager remembers have ended while the agent was away, or
// have shown no process yet: what is known of them is kept, up to Max.
func (c *Containers) Publish(remembered []model.Document) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.published = true
	now := time.Now()
	for _, doc := range remembered {
		var body model.Container
		if doc.Package != model.PackageContainers || doc.Gone() || doc.Decode(&body) != nil || body.ID != doc.Key {
			continue
		}
		e := c.table.entries[body.ID]
		if e == nil && len(c.table.entries) >= c.table.limit {
			c.emit(body.ID, nil, now)
			continue
		}
		if e == nil {
			e = &entry{home: model.Home{Runtime: body.Runtime, ContainerID: body.ID, PodUID: body.PodUID}}
			c.table.entries[body.ID] = e
		}
		e.told = &body
	}
	for id, e := range c.table.entries {
		if e.found != nil && (e.told == nil || !same(*e.told, *e.found)) {
			c.emit(id, e.found, now)
		}
	}
}

// same says whether two answers differ in their time alone.
func same(a, b model.Container) bool {
	a.Found, b.Found = time.Time{}, time.Time{}
	created := a.Created.Equal(b.Created)
	a.Created, b.Created = time.Time{}, time.Time{}
	return created && a == b
}

// Stats reads the figures.
func (c *Containers) Stats() model.ContainerStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := model.ContainerStats{Found: maps.Clone(c.found), Failed: make(map[string]uint64), Forgotten: c.forgotten}
	for _, why := range reasons() {
		s.Failed[why] = c.failed[why]
	}
	for _, e := range c.table.entries {
		if e.found != nil || e.told != nil {
			s.Known++
		} else {
			s.Unknown++
		}
	}
	return s
}
