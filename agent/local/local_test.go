package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// The kernel side is sure only of what user space told it of; the rest is found out.
func TestSettle(t *testing.T) {
	r := newRig(t)
	r.begin()
	r.kernel.dial(3, "\x00s", func(e *bpf.UnixEdge) { e.Unsure++ })
	r.ask()
	if d := decoded[model.Dependency](r, clientKey); d.Failed != 1 || d.Refused != 1 || d.Connections != 0 {
		t.Errorf("nobody there: %+v", d.Counters)
	}
	r.kernel.sockets = append(r.kernel.sockets, bound(11, "\x00s", 1<<30+1))
	key := r.kernel.dial(3, "\x00s", func(e *bpf.UnixEdge) { e.Unsure++ })
	r.ask()
	if d := decoded[model.Dependency](r, clientKey); d.Failed != 1 || d.Connections != 1 || d.Attempts != 2 {
		t.Errorf("somebody there: %+v", d.Counters)
	}
	if r.kernel.served[key.Name] != 11 {
		t.Errorf("the kernel side was told %v", r.kernel.served)
	}
	r.kernel.dial(3, "\x00s", func(e *bpf.UnixEdge) { e.Reached++ })
	r.kernel.clients = []bpf.UnixClient{{Key: key, Open: 1}}
	r.ask()
	if d := decoded[model.Dependency](r, clientKey); d.Connections != 2 || d.Open != 1 || d.Closed != 1 {
		t.Errorf("known: %+v", d.Counters)
	}
	r.kernel.sockets, r.kernel.clients = nil, nil
	r.kernel.dial(3, "\x00s", func(e *bpf.UnixEdge) { e.Failed++ }) // the kernel knows, but not why
	r.ask()
	if d := decoded[model.Dependency](r, clientKey); d.Failed != 2 || d.Refused != 2 || d.Open != 0 || d.Closed != 2 {
		t.Errorf("gone: %+v", d.Counters)
	}
	if len(r.kernel.served) != 0 {
		t.Errorf("the kernel side still has %v", r.kernel.served)
	}
	if l := decoded[model.Listener](r, listenerKey); l.State != model.StateEnded || l.Ended == nil {
		t.Errorf("listener is %+v", l)
	}
	before := r.sent
	r.ask()
	if r.sent != before {
		t.Errorf("%d documents although nothing moved", r.sent-before)
	}
}

// A socket that nobody holds may be on its way to another process.
func TestHandedOn(t *testing.T) {
	r := newRig(t)
	r.kernel.sockets = []bpf.UnixSocket{bound(11, "\x00s", 1<<30)}
	r.begin()
	r.kernel.sockets, r.kernel.alive[11] = nil, true
	r.ask()
	if l := decoded[model.Listener](r, listenerKey); l.State != model.StateListening || l.PID != 1<<30 {
		t.Errorf("on its way: %+v", l)
	}
	r.kernel.sockets = []bpf.UnixSocket{bound(11, "\x00s", 1<<30+5), bound(11, "\x00s", 1<<30+9)}
	r.ask()
	if l := decoded[model.Listener](r, listenerKey); l.State != model.StateListening || l.PID != 1<<30+5 {
		t.Errorf("arrived: %+v", l)
	}
}

func TestBetterHolder(t *testing.T) {
	systemd := bound(1, "x", 1)
	user := bound(1, "x", 40)
	copy(user.Owner.Comm[:], "systemd\x00")
	old, young := bound(1, "x", 50), bound(1, "x", 60)
	for _, c := range []struct {
		known, other bpf.UnixSocket
		want         bool
	}{
		{systemd, young, true}, {young, systemd, false}, {user, young, true}, {young, user, false},
		{young, old, true}, {old, young, false}, {old, old, false},
	} {
		if got := betterHolder(&c.known, &c.other); got != c.want {
			t.Errorf("%d after %d: %t", c.other.Owner.Tgid, c.known.Owner.Tgid, got)
		}
	}
}

func TestAutobound(t *testing.T) {
	for text, want := range map[string]bool{"\x000001f": true, "\x0000g01": false, "\x000001": false, "/0001f": false, "\x000001f0": false} {
		if s := bound(1, text, 2); isAutobound(&s) != want {
			t.Errorf("%q: %t", text, !want)
		}
	}
}

// What the C library tries for every program is no failure of it.
func TestTriedByLibraries(t *testing.T) {
	r := newRig(t)
	r.begin()
	r.kernel.dial(3, "/var/run/nscd/socket", func(e *bpf.UnixEdge) { e.Failed++ })
	r.ask()
	for key, doc := range r.docs {
		t.Errorf("%s: %s", key, doc.Body)
	}
}

func TestEvict(t *testing.T) {
	r := newRig(t)
	r.kernel.limit = 10
	r.begin()
	for i := range uint64(10) {
		r.kernel.dial(100+i, "\x00n"+string(rune('a'+i)), func(e *bpf.UnixEdge) { e.Failed++ })
	}
	r.ask()
	if len(r.kernel.edges) != 7 || len(r.edges.byKernel) != 7 || len(r.targets) != 7 {
		t.Errorf("%d edges in the kernel, %d here, %d names; want 7", len(r.kernel.edges), len(r.edges.byKernel), len(r.targets))
	}
	stats := model.CaptureStats{Events: map[string]uint64{}, Drops: map[string]uint64{}, Transitions: map[string]uint64{}}
	if err := r.AddStats(&stats); err != nil || stats.Transitions["unix_failed"] != 10 || stats.Evictions != 3 {
		t.Errorf("stats are %+v, %v", stats, err)
	}
}

// What the manager believes to be there and is not, is ended; what it remembers of the
// beginning of a listener that is older than this run is kept.
func TestPublish(t *testing.T) {
	r := newRig(t)
	r.kernel.sockets = []bpf.UnixSocket{bound(11, "\x00s", 1<<30)}
	if err := r.Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	began := now.Add(-time.Hour).UTC()
	here := model.Listener{Proto: model.ProtoUnix, NetnsName: "net:[1]", State: model.StateListening, Since: began, Process: r.sockets.byCookie[11].entry.Process}
	here.Path = "@s"
	gone := here
	gone.Path = "@gone"
	other := model.Listener{Proto: "tcp", Port: 80, State: model.StateListening}
	dep := model.Dependency{Direction: model.Out, Proto: model.ProtoUnix, Counters: model.Counters{Open: 3, Connections: 4}}
	dep.Path = "@gone"
	var remembered []model.Document
	for key, body := range map[string]any{here.Key(): here, gone.Key(): gone, other.Key(): other} {
		doc, err := model.NewDocument(model.Name{Host: "h", Package: model.PackageListeners, Key: key}, now, body)
		if err != nil {
			t.Fatal(err)
		}
		remembered = append(remembered, doc)
	}
	doc, err := model.NewDocument(model.Name{Host: "h", Package: model.PackageDependencies, Key: dep.Key()}, now, dep)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Local.Publish(append(remembered, doc)); err != nil {
		t.Fatal(err)
	}
	if l := decoded[model.Listener](r, gone.Key()); l.State != model.StateEnded {
		t.Errorf("gone: %+v", l)
	}
	if l := decoded[model.Listener](r, here.Key()); !l.Since.Equal(began) {
		t.Errorf("since %v", l.Since)
	}
	if d := decoded[model.Dependency](r, dep.Key()); d.Open != 0 || d.Connections != 4 {
		t.Errorf("dependency %+v", d.Counters)
	}
	if _, told := r.docs[other.Key()]; told {
		t.Error("a TCP listener is none of ours")
	}
}

// A walk that would come too soon after another is made later, by itself, and once.
func TestPutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.begin()
		ended := make(chan error, 1)
		ctx, stop := context.WithCancel(t.Context())
		go func() { ended <- r.Run(ctx) }()
		clock, err := bpf.ReadClock()
		if err != nil {
			t.Fatal(err)
		}
		r.mu.Lock()
		r.walks.After = clock.MonoNs + uint64(5*time.Second)
		before := r.kernel.walks
		key := r.kernel.dial(3, "\x00s", func(e *bpf.UnixEdge) { e.Unsure++; e.LastNs = clock.MonoNs })
		r.mu.Unlock()
		r.kernel.events <- bpf.UnixEvent{Kind: bpf.UnixEventEdge, Key: key}
		r.kernel.events <- bpf.UnixEvent{Kind: bpf.UnixEventUnsure, Key: key}
		synctest.Wait()
		if r.kernel.walks != before {
			t.Error("walked at once")
		}
		// The clock of the kernel does not run in the bubble.
		r.mu.Lock()
		r.walks.After = 0
		r.mu.Unlock()
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if r.kernel.walks != before+1 {
			t.Errorf("walked %d times", r.kernel.walks-before)
		}
		if d := decoded[model.Dependency](r, clientKey); d.Refused != 1 {
			t.Errorf("dependency %+v", d.Counters)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestPlaces(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	real := filepath.Join(dir, "real")
	if err := errors.Join(os.Mkdir(real, 0o755), os.Symlink("real", filepath.Join(dir, "link")), os.WriteFile(filepath.Join(real, "s"), nil, 0o600), os.Symlink("s", filepath.Join(real, "alias"))); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(real, "s"), &st); err != nil {
		t.Fatal(err)
	}
	file := fileID{st.Dev, st.Ino}
	p := newPlaces()
	own := mntnsOf("self")
	for _, c := range []struct {
		cwd, text, want string
		file            fileID
	}{
		{"", filepath.Join(real, "s"), filepath.Join(real, "s"), file},
		{"", filepath.Join(dir, "link", "s"), filepath.Join(real, "s"), file},
		{"", filepath.Join(dir, "link", "alias"), filepath.Join(real, "s"), file},
		{"", dir + "/link/../real//s", filepath.Join(real, "s"), file},
		{"", filepath.Join(dir, "link", "none"), filepath.Join(real, "none"), fileID{}},
		{"", filepath.Join(dir, "nodir", "none"), filepath.Join(dir, "nodir", "none"), fileID{}},
		{real, "s", filepath.Join(real, "s"), file},
		{dir, "link/s", filepath.Join(real, "s"), file},
	} {
		got := p.find(spoken{pid: os.Getpid(), mntns: own, cwd: c.cwd, text: c.text})
		if got.path != c.want || got.file != c.file || got.space != "" || got.missing() != (c.file == fileID{}) {
			t.Errorf("%s in %q: %+v, want %s", c.text, c.cwd, got, c.want)
		}
	}
	// A process that has gone, in a mount namespace of which nobody is known.
	if got := p.find(spoken{pid: 1 << 30, mntns: 1, text: "/run/x"}); got.path != "/run/x" || got.space != "mnt:[1]" || got.looked {
		t.Errorf("gone: %+v", got)
	}
}

// Who was dialled by a connection that is older than the agent is told by the name alone: where several
// sockets have it, by the mount namespace of who dialled too, or not at all.
func TestBoundByName(t *testing.T) {
	table := newSockets()
	bound := func(cookie uint64, kind uint16, mntns uint32, text string) {
		s := bpf.UnixSocket{Cookie: cookie, Type: kind, Mntns: mntns, Len: uint16(len(text))}
		copy(s.Text[:], text)
		table.add(s, fileID{}, model.Listener{Proto: model.ProtoUnix, UnixName: model.UnixName{Path: fmt.Sprint("/", cookie)}})
	}
	bound(1, 1, 1, "public/log")
	bound(2, 1, 2, "public/log")
	bound(3, 2, 2, "public/log")
	bound(4, 1, 3, "s")
	bound(5, 1, 4, "twice")
	bound(6, 1, 4, "twice")
	for _, c := range []struct {
		kind  uint16
		mntns uint32
		text  string
		want  uint64
	}{
		{1, 1, "public/log", 1},
		{1, 2, "public/log", 2},
		{2, 1, "public/log", 3},
		{1, 9, "public/log", 0},
		{1, 9, "s", 4},
		{1, 4, "twice", 0},
		{1, 1, "none", 0},
	} {
		to := &target{text: c.text, kind: c.kind, name: bpf.UnixName{Space: c.mntns}}
		var got uint64
		if s := table.bound(to); s != nil {
			got = s.Cookie
		}
		if got != c.want {
			t.Errorf("%+v: socket %d", c, got)
		}
	}
}
