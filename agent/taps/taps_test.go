package taps

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"cassini/agent/host"
	"cassini/agent/netns"
	"cassini/bpf"
	"cassini/model"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a kernel that a test writes.
type fake struct {
	events  chan bpf.TapEvent
	sockets []bpf.TapSocket
	walks   int
	full    uint64
	err     error
}

func (f *fake) Read(e *bpf.TapEvent) error {
	event, ok := <-f.events
	if !ok {
		return os.ErrClosed
	}
	*e = event
	if e.Kind == 0 {
		return bpf.ErrBadEvent
	}
	return nil
}

func (f *fake) Sockets(_ context.Context, fn func(*bpf.TapSocket)) error {
	f.walks++
	for _, s := range f.sockets {
		fn(&s)
	}
	return f.err
}

func (f *fake) Pending() int              { return 0 }
func (f *fake) RingFull() (uint64, error) { return f.full, nil }
func (f *fake) Maps() []bpf.MapUse        { return []bpf.MapUse{{Name: "tap_events"}} }
func (f *fake) Close() error              { close(f.events); return nil }

// rig is a Taps with a fake kernel and the latest documents, by key.
type rig struct {
	*Taps
	t      *testing.T
	kernel *fake
	docs   map[string]model.Listener
	sent   int
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, kernel: &fake{events: make(chan bpf.TapEvent)}, docs: make(map[string]model.Listener)}
	r.Taps = New(Config{Host: "h", Kernel: r.kernel, Processes: host.NewProcesses(), Emit: r.take, Logger: slog.New(slog.DiscardHandler)})
	return r
}

func (r *rig) take(docs ...model.Document) {
	for _, doc := range docs {
		var l model.Listener
		if err := errors.Join(doc.Validate(), doc.Decode(&l)); err != nil {
			r.t.Error(err)
		}
		r.docs[doc.Key] = l
		r.sent++
	}
}

// look looks at all open files now.
func (r *rig) look() {
	r.t.Helper()
	r.walks.After = 0
	if err := r.Refresh(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// tap is a socket of a process that is not there.
func tap(cookie uint64, family uint8, number uint16, edit ...func(*bpf.TapSocket)) bpf.TapSocket {
	s := bpf.TapSocket{Cookie: cookie, Family: family, Number: number}
	s.Owner.Tgid, s.Owner.StartNs, s.Owner.ExeIno = 1<<30+uint32(cookie), cookie, 7
	copy(s.Owner.Comm[:], "tcpdump\x00")
	for _, f := range edit {
		f(&s)
	}
	return s
}

func on(index uint32, name string) func(*bpf.TapSocket) {
	return func(s *bpf.TapSocket) { s.Ifindex = index; copy(s.Ifname[:], name) }
}

func promiscuous(s *bpf.TapSocket) { s.Promiscuous = 1 }

// The sockets of one program that hear the same are one.
func TestFold(t *testing.T) {
	r := newRig(t)
	v6 := netip.MustParseAddr("fe80::1").As16()
	r.kernel.sockets = []bpf.TapSocket{
		tap(1, bpf.FamilyPacket, 3, on(2, "eth0")), tap(2, bpf.FamilyPacket, 3, on(9, "eth1"), promiscuous), tap(3, bpf.FamilyPacket, 0x88cc),
		tap(4, bpf.FamilyIPv4, 112), tap(5, bpf.FamilyIPv6, 58, func(s *bpf.TapSocket) { s.Addr = v6 }), tap(6, bpf.FamilyPacket, 0x9999, on(77, "")),
	}
	r.Link(netns.Namespace{}, model.Interface{Name: "uplink", Index: 9})
	if err := errors.Join(r.Bootstrap(t.Context()), r.Publish(nil)); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]model.Tap{
		"packet:all/tcpdump":    {Hears: "all", Number: 3, Interfaces: []string{"eth0", "uplink"}, Promiscuous: true},
		"packet:lldp/tcpdump":   {Hears: "lldp", Number: 0x88cc},
		"raw:vrrp/tcpdump":      {Hears: "vrrp", Number: 112},
		"raw:icmp6/tcpdump":     {Hears: "icmp6", Number: 58, Bound: []netip.Addr{netip.AddrFrom16(v6)}},
		"packet:0x9999/tcpdump": {Hears: "0x9999", Number: 0x9999, Interfaces: []string{"if77"}},
	} {
		got := r.docs[key]
		if got.Hears != want.Hears || got.Number != want.Number || got.Promiscuous != want.Promiscuous || !slices.Equal(got.Interfaces, want.Interfaces) || !slices.Equal(got.Bound, want.Bound) {
			t.Errorf("%s is %+v, want %+v", key, got.Tap, want)
		}
		delete(r.docs, key)
	}
	if len(r.docs) > 0 {
		t.Errorf("also %v", r.docs)
	}
	sent := r.sent
	if r.look(); r.sent != sent {
		t.Errorf("%d documents although nothing changed", r.sent-sent)
	}
	r.kernel.sockets = append(r.kernel.sockets[2:], tap(7, bpf.FamilyPacket, 3))
	r.look()
	if l := r.docs["packet:all/tcpdump"]; l.Sockets != 1 || l.Promiscuous || l.Interfaces != nil || l.PID != 1<<30+7 {
		t.Errorf("another one: %+v", l)
	}
	r.kernel.sockets[0].Number = 0x0806
	r.look()
	if r.docs["packet:lldp/tcpdump"].State != model.StateEnded || r.docs["packet:arp/tcpdump"].State != model.StateListening {
		t.Errorf("it hears something else now: %+v", r.docs)
	}
	r.kernel.sockets, r.kernel.err = nil, errors.New("interrupted")
	r.walks.After = 0
	if r.Refresh(t.Context()) == nil || r.docs["packet:arp/tcpdump"].State != model.StateListening {
		t.Error("a walk that was interrupted ended sockets")
	}
	r.kernel.err = nil
	r.look()
	for key, l := range r.docs {
		if l.State != model.StateEnded {
			t.Errorf("%s: %+v", key, l)
		}
	}
	if r.Close() != nil {
		t.Error("close")
	}
}

// Those of the agent itself are one, in whatever namespace.
func TestOwn(t *testing.T) {
	r := newRig(t)
	own := func(ns uint32) func(*bpf.TapSocket) {
		return func(s *bpf.TapSocket) { s.Netns, s.Owner.Tgid = ns, uint32(os.Getpid()) }
	}
	r.kernel.sockets = []bpf.TapSocket{tap(1, bpf.FamilyPacket, 0x88cc, own(0)), tap(2, bpf.FamilyPacket, 0x88cc, own(1)), tap(3, bpf.FamilyPacket, 0x88cc, func(s *bpf.TapSocket) { s.Netns = 1 })}
	if err := errors.Join(r.Bootstrap(t.Context()), r.Publish(nil)); err != nil {
		t.Fatal(err)
	}
	if len(r.docs) != 2 || r.docs["packet:lldp/tcpdump@net:[1]"].Sockets != 1 {
		t.Errorf("%+v", r.docs)
	}
	_ = r.Close()
}

// What the kernel tells as it happens is told at once; a socket that is opened to be bound
// next, when it is.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		if err := r.Publish(nil); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- r.Run(t.Context()) }()
		state := func(key string) model.Listener {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.docs[key]
		}
		send := func(kind bpf.TapEventKind, s bpf.TapSocket) {
			r.kernel.events <- bpf.TapEvent{Kind: kind, Socket: s}
			synctest.Wait()
		}
		send(bpf.TapOpened, tap(1, bpf.FamilyPacket, 0))
		if l := state("packet:nothing/tcpdump"); l.State != "" {
			t.Errorf("told of a socket that is about to be bound: %+v", l)
		}
		send(0, bpf.TapSocket{})
		send(bpf.TapOpened, tap(1, bpf.FamilyPacket, 3, on(2, "eth0")))
		if l := state("packet:all/tcpdump"); l.State != model.StateListening || l.SinceApprox || !slices.Equal(l.Interfaces, []string{"eth0"}) {
			t.Errorf("bound: %+v", l)
		}
		r.mu.Lock()
		r.kernel.sockets = []bpf.TapSocket{tap(1, bpf.FamilyPacket, 3, on(2, "eth0"), promiscuous)}
		r.mu.Unlock()
		time.Sleep(settle)
		synctest.Wait()
		r.mu.Lock()
		walks := r.kernel.walks
		r.mu.Unlock()
		if l := state("packet:all/tcpdump"); walks != 1 || !l.Promiscuous || l.SinceApprox {
			t.Errorf("after %d looks: %+v", walks, l)
		}
		send(bpf.TapClosed, tap(1, 0, 0))
		if l := state("packet:all/tcpdump"); l.State != model.StateEnded {
			t.Errorf("closed: %+v", l)
		}
		send(bpf.TapOpened, tap(2, bpf.FamilyPacket, 0))
		send(bpf.TapClosed, tap(2, 0, 0))
		if l := state("packet:nothing/tcpdump"); l.State != "" {
			t.Errorf("it heard nothing in its life: %+v", l)
		}
		r.mu.Lock()
		r.kernel.full = 3
		r.mu.Unlock()
		send(bpf.TapOpened, tap(4, bpf.FamilyIPv4, 1))
		stats := model.CaptureStats{Events: make(map[string]uint64), Drops: make(map[string]uint64)}
		if err := r.AddStats(&stats); err != nil || stats.Events["tap_opened"] != 4 || stats.Events["tap_closed"] != 2 || stats.Drops["tap_bad_event"] != 1 || stats.Drops["tap_ring_full"] != 3 || stats.Resyncs != 1 || stats.Listeners != 1 {
			t.Errorf("%v, %+v", err, stats)
		}
		if err := errors.Join(r.Close(), <-done); err != nil {
			t.Error(err)
		}
	})
}

// Who opens a socket each second makes no document of each, and the latest one comes.
func TestThrottle(t *testing.T) {
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	th := newThrottle()
	ping := model.Listener{Proto: model.ProtoRaw, Tap: model.Tap{Hears: "icmp"}, Process: model.Process{Exe: "/bin/ping"}}
	passed := 0
	for i := range 3600 {
		ping.PID = i
		if th.pass(ping, now) {
			passed++
		}
		list, wait := th.due(now)
		passed += len(list)
		if wait < 0 || wait > refill {
			t.Fatalf("wait %v", wait)
		}
		now = now.Add(time.Second)
	}
	if want := burst + 59; passed != want {
		t.Errorf("%d documents in an hour, want %d", passed, want)
	}
	list, _ := th.due(now.Add(refill))
	if len(list) != 1 || list[0].PID != 3599 {
		t.Errorf("last came %+v", list)
	}
	if th.due(now.Add(time.Hour)); len(th.keys) != 0 {
		t.Error("keys stay")
	}
}

func TestBound(t *testing.T) {
	table := newTable()
	for i := range uint64(socketLimit + 2) {
		table.put(&socket{raw: tap(i+1, bpf.FamilyIPv4, 1), Listener: model.Listener{Proto: "raw"}})
	}
	if list := table.changed(); len(list) != 1 || list[0].Sockets != socketLimit {
		t.Errorf("changed %d", len(list))
	}
	if table.full != 2 {
		t.Errorf("%d found no room", table.full)
	}
}

// An agent that starts anew keeps what it told, and ends what has gone meanwhile.
func TestPublish(t *testing.T) {
	earlier := func(pid int, l model.Listener) model.Document {
		l.PID, l.Exe, l.State, l.Since = pid, "[tcpdump]", model.StateListening, time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
		doc, err := model.NewDocument(model.Name{Host: "h", Package: model.PackageListeners, Key: l.Key()}, l.Since, l)
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	r := newRig(t)
	r.kernel.sockets = []bpf.TapSocket{tap(1, bpf.FamilyPacket, 3)}
	if err := r.Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := r.Publish([]model.Document{
		earlier(1<<30+1, model.Listener{Proto: "packet", Tap: model.Tap{Hears: "all", Number: 3}, Process: model.Process{Exe: "[tcpdump]"}}),
		earlier(5, model.Listener{Proto: "raw", Tap: model.Tap{Hears: "icmp", Number: 1}, Process: model.Process{Exe: "[tcpdump]"}}),
		earlier(6, model.Listener{Proto: "tcp", Port: 80, Addr: netip.IPv4Unspecified()}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if l := r.docs["packet:all/tcpdump"]; l.Since.Day() != 20 || l.SinceApprox {
		t.Errorf("the same: %+v", l)
	}
	if l := r.docs["raw:icmp/tcpdump"]; l.State != model.StateEnded || len(r.docs) != 2 {
		t.Errorf("gone: %+v", r.docs)
	}
	_ = r.Close()
}
