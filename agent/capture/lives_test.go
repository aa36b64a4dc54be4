package capture

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// tables is a kernel side that holds edges and nothing else.
type tables struct {
	Kernel
	edges   map[bpf.EdgeKey]*bpf.Edge
	evicted int
	reads   int // of one edge
}

func (k *tables) Edge(key bpf.EdgeKey) (bpf.Edge, bool, error) {
	k.reads++
	e, ok := k.edges[key]
	if !ok {
		return bpf.Edge{}, false, nil
	}
	return *e, true, nil
}

func (k *tables) Edges(fn func(uint32, *bpf.Edge)) error {
	place := uint32(0)
	for _, e := range k.edges {
		fn(place, e)
		place++
	}
	return nil
}

func (k *tables) Evict(keys []bpf.EdgeKey, fn func(bpf.EdgeKey, *bpf.Edge, *bpf.Health)) error {
	for _, key := range keys {
		last := k.edges[key]
		if last == nil {
			return fmt.Errorf("evict %+v, which is not there", key)
		}
		delete(k.edges, key)
		k.evicted++
		fn(key, last, &bpf.Health{Rtt: [20]uint32{3: 3}}) // the three connections of its life
	}
	return nil
}

func (k *tables) Pending() int        { return 0 }
func (k *tables) Limits() bpf.Limits  { return bpf.Limits{Edges: 65536} }
func (k *tables) ProbeTraffic() error { return nil }
func (k *tables) Maps() []bpf.MapUse  { return nil }
func (k *tables) Close() error        { return nil }
func (k *tables) Listeners(func(uint64, *bpf.Listener)) error {
	return nil
}

func (k *tables) OpenSCTP(context.Context) error                        { return nil }
func (k *tables) SCTPTraffic() error                                    { return nil }
func (k *tables) OpenTraffic(context.Context, func(*bpf.Traffic)) error { return nil }

func (k *tables) Health(uint32) (bpf.Health, error) { return bpf.Health{}, nil }

// yard is a capture on such a kernel, with cgroups that end when the test says so.
type yard struct {
	*Capture
	t      *testing.T
	kernel *tables
	ended  map[uint64]bool
	looks  int
	latest map[model.Name]model.Document
	count  int
}

func newYard(t *testing.T) *yard {
	y := &yard{t: t, kernel: &tables{edges: make(map[bpf.EdgeKey]*bpf.Edge)}, ended: make(map[uint64]bool), latest: make(map[model.Name]model.Document)}
	y.Capture = New(Config{Host: "h", Kernel: y.kernel, Logger: slog.New(slog.DiscardHandler), Emit: func(docs ...model.Document) {
		for _, doc := range docs {
			y.latest[doc.Name] = doc
			y.count++
		}
	}})
	y.gone = func(id uint64) bool { y.looks++; return y.ended[id] }
	y.lives.began, y.published = 1000, true
	return y
}

// begins lets the first connection of a life happen: to a server, from a network namespace.
func (y *yard) begins(cgroup uint64, port uint16, netns uint32, edit ...func(*bpf.Edge)) bpf.EdgeKey {
	y.t.Helper()
	key := bpf.EdgeKey{Cgroup: cgroup, ExeIno: 7, Port: port, Proto: bpf.ProtoTCP, Direction: bpf.DirectionOut, Netns: netns,
		Peer: [16]byte{10: 0xff, 11: 0xff, 12: 10, 15: 1}, Local: [16]byte{10: 0xff, 11: 0xff, 12: 10, 15: 2}}
	e := &bpf.Edge{Key: key, Attempts: 3, Connections: 3, Closed: 3, FirstNs: 5, LastNs: 6, Owner: bpf.Sample{Tgid: uint32(cgroup), StartNs: 2000 + cgroup}}
	for _, f := range edit {
		f(e)
	}
	y.kernel.edges[key] = e
	if err := y.handleEdge(&bpf.Event{Kind: bpf.EventEdge, Key: key, Owner: e.Whose(), Image: bpf.Image{Exe: "/usr/bin/job", Cwd: "/", Cmdline: []string{"job"}}}); err != nil {
		y.t.Fatal(err)
	}
	return key
}

func (y *yard) handleEdge(event *bpf.Event) error { return y.edgeStarted(event, clock()) }

func (y *yard) ask() {
	y.t.Helper()
	if err := y.readAll(y.t.Context(), clock()); err != nil {
		y.t.Fatal(err)
	}
}

// one is the only document of a package.
func one[T any](y *yard, pkg string) (body T) {
	y.t.Helper()
	found := 0
	for name, doc := range y.latest {
		if name.Package == pkg {
			found++
			if err := doc.Decode(&body); err != nil {
				y.t.Fatal(err)
			}
		}
	}
	if found != 1 {
		y.t.Fatalf("%d documents of package %s: %v", found, pkg, y.latest)
	}
	return body
}

// However many lives a program has, the tables, the kernel's map and the documents stay
// as they are, and every connection counts.
func TestManyLivesAreFlat(t *testing.T) {
	const lives, atOnce = 10_000, 5
	y := newYard(t)
	most, mostLives := 0, 0
	for i := uint64(1); i <= lives; i++ {
		y.begins(i, 80, 4026531000+uint32(i%7))
		if i > atOnce {
			y.ended[i-atOnce] = true
		}
		most, mostLives = max(most, len(y.kernel.edges)), max(mostLives, len(y.lives.byFunction["/usr/bin/job"].byCgroup))
		if i == lives/2 {
			y.ask()
		}
	}
	if most > 4*atOnce || mostLives > 4*atOnce || y.edges.byKey.len() != 1 || len(y.lives.byFunction) != 1 {
		t.Errorf("%d edges in the kernel, %d lives, %d dependencies, %d programs", most, mostLives, y.edges.byKey.len(), len(y.lives.byFunction))
	}
	if y.count != 4 { // the dependency, the second life, and each again when somebody asked
		t.Errorf("%d documents", y.count)
	}
	if y.looks > lives*(looksPerBirth+1) {
		t.Errorf("%d cgroups were looked at", y.looks)
	}
	for i := uint64(1); i <= lives; i++ {
		y.ended[i] = true
	}
	y.ask()
	d, p := one[model.Dependency](y, model.PackageDependencies), one[model.Program](y, model.PackagePrograms)
	if d.Connections != 3*lives || d.Closed != 3*lives || d.NetnsName != model.NetnsOfLives || d.PID != lives {
		t.Errorf("the dependency %+v", d)
	}
	if n := d.RTTs.Count(); n != 3*lives {
		t.Errorf("round-trip times of %d connections", n)
	}
	if p.Births != lives || p.Deaths != lives || p.Found != 0 || p.Alive() != 0 || p.PID != lives {
		t.Errorf("the program %+v", p)
	}
	if len(y.kernel.edges) != 0 || y.edges.byKernel.len() != 0 || y.kernel.evicted != lives || y.lives.released != lives {
		t.Errorf("%d edges are left, %d were evicted", len(y.kernel.edges), y.kernel.evicted)
	}
	if out := y.edges.totals.out; out.Connections != 3*lives {
		t.Errorf("in all %d connections", out.Connections)
	}
	y.begins(lives+1, 80, 4026531000)
	y.ask()
	if d := one[model.Dependency](y, model.PackageDependencies); d.Connections != 3*(lives+1) || d.CountingSince != noon {
		t.Errorf("the next life does not count on: %+v", d)
	}
}

func TestLifeWaitsForItsLastConnection(t *testing.T) {
	y := newYard(t)
	key := y.begins(1, 80, 0, func(e *bpf.Edge) { e.Closed = 2 })
	y.begins(2, 80, 0)
	y.ended[1] = true
	y.ask()
	if y.kernel.edges[key] == nil || one[model.Program](y, model.PackagePrograms).Deaths != 1 {
		t.Fatal("an edge with an open connection was let go, or the death not told")
	}
	y.kernel.edges[key].Closed, y.kernel.edges[key].BytesSent = 3, 99
	y.ask()
	d := one[model.Dependency](y, model.PackageDependencies)
	if y.kernel.edges[key] != nil || d.Connections != 6 || d.Open != 0 || d.BytesSent != 99 {
		t.Errorf("%+v", d)
	}
}

// Lives whose connections stay open for long cost those that begin next to nothing.
func TestManyWaitForTheirLastConnection(t *testing.T) {
	const lives = 500
	y := newYard(t)
	for i := uint64(1); i <= lives; i++ {
		y.begins(i, 80, 0, func(e *bpf.Edge) { e.Closed = 2 })
		y.ended[i] = true
	}
	if y.kernel.reads > lives*(2*looksPerBirth+1) || len(y.kernel.edges) != lives {
		t.Errorf("%d reads for %d lives, %d edges", y.kernel.reads, lives, len(y.kernel.edges))
	}
	for _, e := range y.kernel.edges {
		e.Closed = 3
	}
	y.ask()
	if d := one[model.Dependency](y, model.PackageDependencies); len(y.kernel.edges) != 0 || d.Connections != 3*lives || d.Open != 0 {
		t.Errorf("%d edges, %+v", len(y.kernel.edges), d.Counters)
	}
}

func TestWhoLivedBeforeTheAgent(t *testing.T) {
	y := newYard(t)
	old := func(e *bpf.Edge) { e.Owner.StartNs = 10 }
	y.begins(1, 80, 0, old)
	y.begins(2, 80, 0, old)
	y.begins(2, 81, 0) // the same life is a client of another, by a later process
	y.begins(3, 80, 0)
	y.ask()
	if p := one[model.Program](y, model.PackagePrograms); p.Found != 2 || p.Births != 1 || p.Deaths != 0 || p.Alive() != 3 {
		t.Errorf("%+v", p.Lives)
	}
}

// A program of one life is no herd, and is told by its dependencies alone.
func TestOneLifeIsNoHerd(t *testing.T) {
	y := newYard(t)
	y.begins(1, 80, 0)
	y.begins(1, 81, 0)
	y.ask()
	for name := range y.latest {
		if name.Package == model.PackagePrograms {
			t.Errorf("told of %v", name)
		}
	}
	if y.count != 2 {
		t.Errorf("%d documents for two dependencies", y.count)
	}
}

// The first failure of a herd is news, those of later lives are figures.
func TestFailuresOfAHerd(t *testing.T) {
	y := newYard(t)
	failed := func(e *bpf.Edge) { e.Connections, e.Closed, e.Refused = 0, 0, 3 }
	y.begins(1, 80, 0)
	for i := uint64(2); i < 50; i++ {
		key := y.begins(i, 80, 0, failed)
		if err := y.edgeMoved(key, clock()); err != nil {
			t.Fatal(err)
		}
	}
	if y.count != 3 { // the first, the second life, its failure
		t.Errorf("%d documents", y.count)
	}
	y.ask()
	if d := one[model.Dependency](y, model.PackageDependencies); d.Failed != 48*3 || d.Connections != 3 {
		t.Errorf("%+v", d.Counters)
	}
}

// What fails again long after its first failure is told of unasked, once a minute.
func TestFailsAgain(t *testing.T) {
	y := newYard(t)
	key := y.begins(1, 80, 0)
	read := *y.kernel.edges[key]
	now := clock()
	fails := func(after time.Duration, failed uint64, documents int) {
		t.Helper()
		now.MonoNs += uint64(after)
		read.Refused += failed
		y.kernel.edges[key] = &read
		before := y.count
		if err := y.edgeFailed(key, now); err != nil {
			t.Fatal(err)
		}
		if y.count-before != documents {
			t.Errorf("%d documents of %d failures in all, want %d", y.count-before, read.Refused, documents)
		}
		if d := one[model.Dependency](y, model.PackageDependencies); documents > 0 && d.Failed != read.Refused {
			t.Errorf("%d failures are told, want %d", d.Failed, read.Refused)
		}
	}
	fails(0, 1, 1)
	fails(time.Second, 1, 0)
	fails(time.Hour, 5, 1)
	fails(time.Second, 1, 0)
	fails(time.Minute, 1, 1)
	fails(time.Minute, 0, 0)
}

// Who asks a name server in another network namespace is told of, so that its answers can
// be heard there.
func TestNameServersOfAHerd(t *testing.T) {
	y := newYard(t)
	y.begins(1, dnsPort, 4026531001)
	y.begins(2, dnsPort, 4026531001)
	before := y.count
	y.begins(3, dnsPort, 4026531002)
	d := one[model.Dependency](y, model.PackageDependencies)
	if y.count != before+1 || d.Netns != 4026531002 || d.NetnsName != model.NetnsOfLives {
		t.Errorf("%d documents more, %+v", y.count-before, d)
	}
}

func TestForgetsWhatRestsLongest(t *testing.T) {
	y := newYard(t)
	for i := range uint64(restingLimit + 200) {
		y.begins(i+1, uint16(i+1), 0)
		y.ended[i+1] = true
		if i%1000 == 0 {
			y.ask()
		}
	}
	y.ask()
	y.ask()
	y.ask()
	if n := y.edges.byKey.len(); n > restingLimit || n < restingLimit*9/10 {
		t.Errorf("%d dependencies", n)
	}
	if len(y.edges.resting) != y.edges.byKey.len() || len(y.edges.unsent) != 0 || y.lives.forgotten == 0 {
		t.Errorf("%d rest, %d are untold, %d forgotten", len(y.edges.resting), len(y.edges.unsent), y.lives.forgotten)
	}
	told := 0
	for name := range y.latest {
		if name.Package == model.PackageDependencies {
			told++
		}
	}
	if told != restingLimit+200 {
		t.Errorf("%d dependencies were told", told)
	}
	for i := range programsLimit + 10 {
		p := model.Process{Exe: fmt.Sprint("/p", i)}
		y.lives.joined(&edge{whose: whose{cgroup: 1}}, p, 0, clock())
		delete(y.lives.byFunction[p.Function()].byCgroup, 1)
	}
	if len(y.lives.byFunction) > programsLimit {
		t.Errorf("%d programs", len(y.lives.byFunction))
	}
}
