package graph

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"testing"
	"time"

	"cassini/model"
)

// generator makes a plausible history of a small estate in which addresses, ports
// and programs collide as often as they can.
type generator struct {
	*rand.Rand
	w     *world
	deps  map[model.Name]*model.Dependency
	names []model.Name // of dependencies, gone ones too
}

func (r *generator) pick(list ...string) string { return list[r.IntN(len(list))] }

func (r *generator) addr(host string) string {
	return r.pick("127.0.0.1", "::1", "10.0.0."+host, "fd00::"+host, "172.17.0.1", "172.17.0.2", "fe80::1")
}

func (r *generator) step() {
	host := r.pick("1", "2", "3")
	switch r.IntN(6) {
	case 0, 1:
		r.listener(host)
	case 2, 3, 4:
		r.dependency(host)
	default:
		r.w.put(model.Name{Host: host, Package: model.PackageIdentity}, model.Identity{Hostname: "h" + host, BootID: r.pick("a", "b")})
	}
}

func (r *generator) listener(host string) {
	addr := r.pick("0.0.0.0", "::", r.addr(host))
	edit := func(l *model.Listener) {
		l.NetnsName = r.pick("", "", "", "blue")
		l.DualStack = addr == "::"
		l.Since = t0.Add(time.Duration(r.IntN(5)) * time.Minute)
		if r.IntN(3) == 0 {
			at := t0.Add(time.Duration(r.IntN(100)) * time.Minute)
			l.State, l.Ended = model.StateEnded, &at
		}
	}
	r.w.listen(host, r.pick("/nginx", "/apache2", "/usr/nginx"), addr, uint16(80+r.IntN(2)), edit)
}

func (r *generator) dependency(host string) {
	if len(r.names) > 0 && r.IntN(3) > 0 {
		name := r.names[r.IntN(len(r.names))]
		if known := r.deps[name]; known != nil {
			r.change(name, known)
			return
		}
	}
	dir := []model.Direction{model.Out, model.Out, model.In, model.In, model.Unknown}[r.IntN(5)]
	client, server := r.addr(host), r.addr(host)
	peer := r.addr(r.pick("1", "2", "3", "9"))
	if dir == model.Out {
		server = peer
	} else {
		client = peer
	}
	d := r.w.dep(dir, r.pick("/curl", "/nginx", "/apache2"), client, server, uint16(80+r.IntN(2)), model.Counters{Adopted: uint64(r.IntN(2))})
	d.NetnsName = r.pick("", "", "", "blue")
	if netip.MustParseAddr(peer).IsLinkLocalUnicast() {
		d.Interface = r.pick("", "eth0", "br0")
	}
	if dir == model.Out && !d.Client.IsLoopback() && !d.Server.IsLoopback() && r.IntN(4) == 0 {
		d.NetnsName = model.NetnsOfLives
	}
	name := model.Name{Host: host, Package: model.PackageDependencies, Key: d.Key()}
	if len(name.Key)%5 == 0 {
		name.Key += " of another form"
	}
	if r.deps[name] == nil {
		r.deps[name] = &d
		r.names = append(r.names, name)
		r.w.put(name, d)
	}
}

// change lets a dependency go on: counters move, connections begin to fail, the
// agent starts again or forgets it.
func (r *generator) change(name model.Name, known *model.Dependency) {
	switch r.IntN(20) {
	case 0:
		delete(r.deps, name)
		r.w.put(name, nil)
		return
	case 1, 2:
		known.CountingSince, known.Counters = r.w.now, model.Counters{Adopted: 1}
		r.w.put(name, known)
		return
	}
	known.Connections += uint64(r.IntN(9))
	known.LastSeen = r.w.now
	known.PID = r.IntN(100)
	progress := known.Failed > 0 || r.IntN(8) > 0
	if !progress || known.Failed > 0 {
		known.Failed++
	}
	r.w.put(name, known, func(d *model.Document) { d.Progress = progress })
}

func (w *world) generator(seed uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, 7)), w: w, deps: make(map[model.Name]*model.Dependency)}
}

func generate(t *testing.T, seed uint64, steps int) *world {
	r := newWorld(t).generator(seed)
	for range steps {
		r.step()
		if r.IntN(10) == 0 { // questions in between must not change anything
			r.w.Dependencies(DependencyFilter{})
		}
	}
	return r.w
}

// state is everything that a graph answers.
func state(t *testing.T, g *Graph) string {
	t.Helper()
	deps, _ := g.Dependencies(DependencyFilter{})
	stats := g.Stats()
	stats.Documents = 0 // replays of a thinned log see fewer
	b, err := json.MarshalIndent([]any{g.Graph(GraphFilter{}), g.Services(ServiceFilter{}), deps, stats}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func replay(docs []model.Document) (*Graph, []model.Event) {
	g := New(Limits{})
	var events []model.Event
	for i, d := range docs {
		events = append(events, g.Apply(fmt.Sprintf("%08d.%s.%s", i+1, d.Package, d.Host), d)...)
	}
	return g, events
}

const seeds = 30

func TestReplayGivesTheSameGraphAndEvents(t *testing.T) {
	for seed := range uint64(seeds) {
		w := generate(t, seed, 300)
		again, events := replay(w.docs)
		if a, b := state(t, w.Graph), state(t, again); a != b {
			t.Fatalf("seed %d: graphs differ at %s", seed, difference(a, b))
		}
		if fmt.Sprint(events) != fmt.Sprint(w.seen) {
			t.Fatalf("seed %d: events differ", seed)
		}
	}
}

// TestReplayOfAThinnedLog drops what the store drops: progress that progress of
// the same name follows.
func TestReplayOfAThinnedLog(t *testing.T) {
	for seed := range uint64(seeds) {
		w := generate(t, seed, 400)
		var kept []model.Document
		thinned := 0
		next := make(map[model.Name]bool)
		for _, d := range slices.Backward(w.docs) {
			if d.Progress && next[d.Name] {
				thinned++
			} else {
				kept = append(kept, d)
			}
			next[d.Name] = d.Progress
		}
		slices.Reverse(kept)
		again, _ := replay(kept)
		// A host was seen last when its last document came, thinned or not: the last stays.
		if a, b := state(t, w.Graph), state(t, again); a != b {
			t.Fatalf("seed %d: graphs differ after dropping %d: %s", seed, thinned, difference(a, b))
		}
		if thinned == 0 {
			t.Errorf("seed %d: nothing was thinned", seed)
		}
	}
}

// TestOrderAcrossNamesDoesNotMatter shuffles documents, keeping the order of those
// of one name: hosts report when they like. How often a service changed its state is the
// exception: it has several addresses, and its host tells of them in one order only.
func TestOrderAcrossNamesDoesNotMatter(t *testing.T) {
	flapping := regexp.MustCompile(`\n *"(changes|flapping|flapping_since)": .*`)
	for seed := range uint64(seeds) {
		w := generate(t, seed, 200)
		r := rand.New(rand.NewPCG(seed, 99))
		slots := make([]model.Name, len(w.docs))
		byName := make(map[model.Name][]model.Document)
		for i, d := range w.docs {
			slots[i] = d.Name
			byName[d.Name] = append(byName[d.Name], d)
		}
		r.Shuffle(len(slots), func(i, j int) { slots[i], slots[j] = slots[j], slots[i] })
		var docs []model.Document
		for _, n := range slots {
			docs = append(docs, byName[n][0])
			byName[n] = byName[n][1:]
		}
		again, _ := replay(docs)
		if a, b := flapping.ReplaceAllString(state(t, w.Graph), ""), flapping.ReplaceAllString(state(t, again), ""); a != b {
			t.Fatalf("seed %d: graphs differ at %s", seed, difference(a, b))
		}
	}
}

// TestIndicesEmptyThemselves takes everything back.
func TestIndicesEmptyThemselves(t *testing.T) {
	w := generate(t, 5, 500)
	for _, d := range slices.Clone(w.docs) {
		if d.Package != model.PackageIdentity {
			w.put(d.Name, nil)
		}
	}
	for s := range w.services.all() {
		if s.state != model.StateEnded {
			t.Errorf("%s still listens", s.id)
		}
	}
	for _, s := range slices.Collect(w.services.all()) {
		w.forgetService(s)
	}
	if n := w.left(); n != 0 {
		t.Errorf("%d left behind", n)
	}
}

// left counts what the indices still have.
func (g *Graph) left() int {
	n := g.addresses.size() + len(g.programs.by) + g.runs.by.Len() + g.pairs.count() + len(g.pairs.more) + g.countDependencies() + g.undirected + g.listening
	for _, h := range g.hosts {
		n += len(h.places) + len(h.described) + h.ended
	}
	return n
}

func difference(a, b string) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	from := max(0, i-300)
	return fmt.Sprintf("…%s\n<<< one\n%s\n>>> other\n%s", a[from:i], a[i:min(len(a), i+200)], b[i:min(len(b), i+200)])
}

// FuzzApply feeds bodies that an agent never makes.
func FuzzApply(f *testing.F) {
	f.Add(model.PackageListeners, `{"proto":"tcp","addr":"::","port":1,"state":"ended"}`)
	f.Add(model.PackageDependencies, `{"direction":"out","proto":"tcp","client_addr":"::1","server_addr":"127.0.0.1","port":1}`)
	f.Add(model.PackageDependencies, `{"direction":"in","proto":"tcp","client_addr":"fe80::1%eth0","server_addr":"0.0.0.0","port":1,"closed":18446744073709551615}`)
	f.Fuzz(func(t *testing.T, pkg, body string) {
		g := New(Limits{})
		for i, host := range []string{"a", "b", "a"} {
			g.Apply(fmt.Sprint(i), model.Document{Name: model.Name{Host: host, Package: pkg, Key: "k"}, Time: t0, Body: json.RawMessage(body)})
			state(t, g)
		}
		g.Apply("9", model.Document{Name: model.Name{Host: "a", Package: pkg, Key: "k"}, Time: t0})
		state(t, g)
	})
}

func BenchmarkApply(b *testing.B) {
	g := New(Limits{})
	w := newWorld(b)
	var docs []model.Document
	for i := range 1000 {
		d := w.dep(model.Out, fmt.Sprint("/bin/p", i%50), "10.0.0.1", netip.AddrFrom4([4]byte{10, 1, 0, byte(i)}).String(), uint16(i), n(uint64(i)))
		doc, err := model.NewDocument(model.Name{Host: "web", Package: model.PackageDependencies, Key: d.Key()}, t0, d)
		if err != nil {
			b.Fatal(err)
		}
		docs = append(docs, doc)
	}
	i := 0
	for b.Loop() {
		g.Apply("k", docs[i%len(docs)])
		i++
	}
}

func filledGraph(b *testing.B, deps int) *world {
	w := newWorld(b)
	for i := range 100 {
		w.listen("db", fmt.Sprint("/bin/s", i), "10.1.0.1", uint16(i))
	}
	for i := range deps {
		w.out("web", fmt.Sprint("/bin/p", i/100), "10.0.0.1", "10.1.0.1", uint16(i%100), n(uint64(i)))
	}
	return w
}

func BenchmarkDependencies(b *testing.B) {
	for _, size := range []int{1000, 10_000} {
		w := filledGraph(b, size)
		b.Run(fmt.Sprintf("all of %d", size), func(b *testing.B) {
			for b.Loop() {
				w.Dependencies(DependencyFilter{})
			}
		})
		b.Run(fmt.Sprintf("of one in %d", size), func(b *testing.B) {
			for b.Loop() {
				w.Dependencies(DependencyFilter{Of: "service:db/s5:5", Up: true, Depth: 3})
			}
		})
		b.Run(fmt.Sprintf("join %d", size), func(b *testing.B) {
			for b.Loop() {
				w.build()
			}
		})
	}
}
