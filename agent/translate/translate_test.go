package translate

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cassini/agent/netns"
	"cassini/agent/translate/conntrack"
	"cassini/model"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// flow is one of a client's to a server behind a balancer.
func flow(client, server byte) conntrack.Flow {
	return conntrack.Flow{
		Proto: "tcp", Client: netip.AddrFrom4([4]byte{10, 0, 0, client}), Dialled: netip.MustParseAddrPort("10.0.0.1:80"),
		Reached: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 0, server}), 8080), SeenAs: netip.MustParseAddr("10.1.0.1"),
	}
}

// tracked are flows of which no table tells.
func tracked(flows ...conntrack.Flow) (list []conntrack.Tracked) {
	for _, f := range flows {
		list = append(list, conntrack.Tracked{Flow: f})
	}
	return list
}

// answer is what a socket says next.
type answer struct {
	flows     []conntrack.Tracked
	malformed int
	err       error
}

// socket is a kernel whose table holds so many flows.
type socket struct {
	answers chan answer
	closed  chan struct{}
	once    sync.Once

	mu      sync.Mutex
	table   conntrack.Table
	dumps   int
	full    bool // messages wait
	drained int  // dumps before messages were last thrown away
}

func (s *socket) Empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.full
}

func (s *socket) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drained = s.dumps
}

func (s *socket) Read() ([]conntrack.Tracked, int, error) {
	select {
	case a := <-s.answers:
		return a.flows, a.malformed, a.err
	case <-s.closed:
		return nil, 0, os.ErrClosed
	}
}

func (s *socket) Dump(int) (conntrack.Table, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dumps++
	return s.table, nil
}

func (s *socket) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// rig is a Translate with one namespace, whose socket it opens.
type rig struct {
	*Translate
	t      *testing.T
	socket *socket
	opened int
	refuse error

	mu   sync.Mutex
	docs []model.Document
}

func start(t *testing.T, there map[conntrack.Flow]uint64) *rig {
	r := &rig{t: t, socket: &socket{answers: make(chan answer), closed: make(chan struct{}), table: conntrack.Table{Counts: there}}}
	r.Translate = New(Config{
		Host: "lb", Logger: slog.New(slog.DiscardHandler),
		Open: func(netns.Namespace) (Socket, error) {
			r.opened++
			if r.refuse != nil {
				return nil, r.refuse
			}
			return r.socket, nil
		},
		Emit: func(docs ...model.Document) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.docs = append(r.docs, docs...)
		},
	})
	return r
}

func (r *rig) link(state string) {
	r.Link(netns.Namespace{Inode: 4711, Name: "blue"}, model.Interface{Name: "eth0", Netns: "blue", State: state})
	synctest.Wait()
}

// told are the documents since it was last called, as "server flows+found", "*" for progress.
func (r *rig) told() (list []string) {
	r.t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, doc := range r.docs {
		var body model.Translation
		if err := errors.Join(doc.Validate(), doc.Decode(&body)); err != nil || body.Key() != doc.Key || body.NetnsName != "blue" {
			r.t.Errorf("%+v: %v", doc, err)
		}
		progress := ""
		if doc.Progress {
			progress = "*"
		}
		list = append(list, fmt.Sprintf("%s%s %d+%d", progress, body.Reached.Addr(), body.Flows, body.Found))
	}
	r.docs = nil
	return list
}

func (r *rig) expect(what string, want ...string) {
	r.t.Helper()
	if got := r.told(); fmt.Sprint(got) != fmt.Sprint(want) {
		r.t.Errorf("%s: told %q, want %q", what, got, want)
	}
}

func (r *rig) say(a answer) {
	r.socket.answers <- a
	synctest.Wait()
}

// A new translation is told at once, its count when somebody asks, and what is lost is
// found in the kernel's table.
func TestWhatIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, map[conntrack.Flow]uint64{flow(9, 1): 3})
		go func() { _ = r.Run(t.Context()) }()
		r.link(model.InterfacePresent)
		r.expect("before it is published")
		r.Publish()
		r.expect("what was there", "10.1.0.1 0+3")
		r.say(answer{flows: tracked(flow(9, 1), flow(9, 2))})
		r.expect("a new one", "10.1.0.2 1+0")
		r.say(answer{flows: tracked(flow(9, 2)), malformed: 2})
		r.expect("more of it")
		r.Refresh()
		r.expect("asked for", "*10.1.0.1 1+3", "*10.1.0.2 2+0")
		r.Refresh()
		r.expect("asked again")
		r.socket.mu.Lock()
		r.socket.table.Counts = map[conntrack.Flow]uint64{flow(9, 1): 4, flow(9, 2): 1, flow(9, 3): 5}
		r.socket.mu.Unlock()
		r.say(answer{err: conntrack.ErrOverrun})
		r.expect("some were lost", "10.1.0.3 0+5")
		r.socket.mu.Lock()
		if r.socket.drained != 1 || r.socket.dumps != 2 {
			t.Errorf("the table was read %d times, and what waited was thrown away after %d of them", r.socket.dumps, r.socket.drained)
		}
		r.socket.mu.Unlock()
		r.Refresh()
		r.expect("what was known is not counted twice")
		if s := r.Stats(); s.Namespaces != 1 || s.Known != 3 || s.Flows != 3 || s.Malformed != 2 || s.Overruns != 1 || s.Forgotten != 0 {
			t.Errorf("%+v", s)
		}
		r.link(model.InterfaceGone)
		if s := r.Stats(); s.Namespaces != 0 {
			t.Errorf("a namespace without interfaces is kept: %+v", s)
		}
	})
}

// Flows that began before the table was read, and are told of behind that, count once.
func TestBegunWhileTheTableIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, map[conntrack.Flow]uint64{flow(9, 1): 3, flow(9, 2): 1})
		r.socket.table.IDs = map[uint32]struct{}{11: {}, 12: {}, 13: {}, 21: {}}
		r.socket.table.Left = 5
		go func() { _ = r.Run(t.Context()) }()
		r.link(model.InterfacePresent)
		r.Publish()
		r.expect("what was there", "10.1.0.1 0+3", "10.1.0.2 0+1")
		begun := func(ids ...uint32) (list []conntrack.Tracked) {
			for _, id := range ids {
				list = append(list, conntrack.Tracked{Flow: flow(9, byte(id/10)), ID: id})
			}
			return list
		}
		r.say(answer{flows: begun(12, 14, 21)})
		r.say(answer{flows: begun(13, 22)})
		r.Refresh()
		r.expect("those that were not in the table", "*10.1.0.1 1+3", "*10.1.0.2 1+1")
		wait := func(full bool) {
			r.socket.mu.Lock()
			defer r.socket.mu.Unlock()
			r.socket.full = full
		}
		wait(true)
		time.Sleep(10 * overlap)
		r.say(answer{flows: begun(21)})
		wait(false)
		r.say(answer{flows: begun(11)})
		r.Refresh()
		r.expect("messages that waited for long")
		r.say(answer{flows: begun(11)})
		r.Refresh()
		r.expect("a number that was given again", "*10.1.0.1 2+3")
		if n := r.Stats().Forgotten; n != 5 {
			t.Errorf("%d are left out", n)
		}
	})
}

// However many connections are translated, reading them takes a bounded part of a second.
func TestFloodIsReadInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, nil)
		go func() { _ = r.Run(t.Context()) }()
		r.link(model.InterfacePresent)
		began := time.Now()
		for range 3 * readAtOnce / 64 {
			r.socket.answers <- answer{flows: make([]conntrack.Tracked, 64)}
		}
		synctest.Wait()
		if took := time.Since(began); took < 2*time.Second || took > 4*time.Second {
			t.Errorf("%d flows were read in %v", 3*readAtOnce, took)
		}
	})
}

// Where there is no connection tracking yet, it is looked for when a link moves.
func TestTrackingThatBeginsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, nil)
		r.refuse = fmt.Errorf("open: %w", conntrack.ErrNotInUse)
		go func() { _ = r.Run(t.Context()) }()
		r.link(model.InterfacePresent)
		r.refuse = nil
		r.link(model.InterfacePresent)
		r.link(model.InterfacePresent)
		if r.opened != 2 || r.Stats().Namespaces != 1 {
			t.Errorf("opened %d times; %+v", r.opened, r.Stats())
		}
	})
}

// At the limit the longest idle make room, and one that comes back counts anew.
func TestTableIsBounded(t *testing.T) {
	table, now := newTable(), time.Now()
	for i := range limit + 5 {
		f := flow(byte(i>>8), byte(i))
		f.SeenAs = netip.AddrFrom4([4]byte{10, 2, byte(i >> 16), byte(i >> 8)})
		table.began("", f, now.Add(time.Duration(i)))
	}
	if len(table.entries) > limit || table.forgotten != limit/100 {
		t.Errorf("%d kept, %d forgotten", len(table.entries), table.forgotten)
	}
	first := flow(0, 0)
	first.SeenAs = netip.AddrFrom4([4]byte{10, 2, 0, 0})
	if _, kept := table.entries[where{first, ""}]; kept {
		t.Error("the longest idle was kept")
	}
	if e := table.began("", first, now.Add(time.Hour)); e.Flows != 1 || !e.CountingSince.After(now) {
		t.Errorf("%+v", e)
	}
}
