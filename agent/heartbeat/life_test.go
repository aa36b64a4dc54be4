package heartbeat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/model"
)

const patience = 10 * time.Second

// manager is one that knows a life of the host.
type manager struct {
	mu     sync.Mutex
	knows  model.Incarnation
	fails  error
	joins  []model.Join
	places []*model.Assignment
}

func (m *manager) Join(_ context.Context, j model.Join) (*model.Joined, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.joins = append(m.joins, j)
	switch {
	case m.fails != nil:
		return nil, m.fails
	case j.Incarnation < m.knows:
		return &model.Joined{Incarnation: m.knows + 1}, nil
	}
	m.knows = j.Incarnation
	return &model.Joined{
		Incarnation: m.knows, Ring: model.ManagerRing(j.Host), Assignments: m.places, Keys: model.KeySet{Current: 1, Keys: []model.RingKey{{ID: 1}}},
		Manager: model.RingMember{Host: model.ManagerHost, Addr: netip.MustParseAddrPort("127.0.0.1:9"), Incarnation: 1},
	}, nil
}

func (m *manager) asked() []model.Join {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]model.Join(nil), m.joins...)
}

// logged is a log that can be read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func configOf(dir string, m Manager, log *logged) Config {
	return Config{
		Host: "h1", DataDir: dir, Listen: netip.MustParseAddrPort("127.0.0.1:0"), Watch: WatchUser, Manager: m,
		Addr:   func() (netip.Addr, error) { return netip.MustParseAddr("127.0.0.1"), nil },
		Zone:   func(netip.Addr) (string, string) { return "z1", "blade-1" },
		Report: func(...model.Document) {}, Logger: slog.New(slog.NewTextHandler(log, nil)),
	}
}

// run runs a life until something holds, and ends it.
func run(t *testing.T, h *Heartbeat, what string, holds func() bool) error {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		select {
		case err := <-done:
			return err
		default:
		}
		if holds() {
			stop()
		} else if time.Now().After(deadline) {
			stop()
			<-done
			t.Fatalf("it does not come about that %s", what)
		}
	}
}

func never() bool { return false }

func alone(epoch model.Epoch) *model.Assignment {
	return &model.Assignment{Ring: "z1", Epoch: epoch, Profile: model.StandardProfile(), Keys: model.KeySet{Current: 1, Keys: []model.RingKey{{ID: 1}}}}
}

// TestLostState: the manager knows a later life than a host that has lost its record. The
// next one is one that others take.
func TestLostState(t *testing.T) {
	dir, m, log := t.TempDir(), &manager{knows: 6}, &logged{}
	h, err := New(configOf(dir, m, log))
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t, h, "it begins anew", never); !errors.Is(err, ErrAnew) {
		t.Fatalf("the first life ends with %v", err)
	}
	if h, err = New(configOf(dir, m, log)); err != nil {
		t.Fatal(err)
	}
	if err := run(t, h, "it has joined", func() bool { return h.keeper.read().Joined != nil }); err != nil {
		t.Fatalf("the next life ends with %v", err)
	}
	joins := m.asked()
	if len(joins) != 2 || joins[0].Incarnation != 1 || joins[1].Incarnation != 7 {
		t.Errorf("joined as %+v", joins)
	}
	if j := joins[1]; j.Host != "h1" || j.Zone != "z1" || j.Chassis != "blade-1" || j.Watch != h.watch.Name() || j.Addr.Addr().String() != "127.0.0.1" || j.Addr.Port() == 0 {
		t.Errorf("joined as %+v", j)
	}
}

func TestDamagedStateIsWarnedOf(t *testing.T) {
	dir, m, log := t.TempDir(), &manager{knows: 3}, &logged{}
	if err := os.WriteFile(filepath.Join(dir, "rings.json"), []byte("\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := New(configOf(dir, m, log))
	if err != nil {
		t.Fatal(err)
	}
	if got := log.String(); strings.Count(got, "level=WARN") != 1 || !strings.Contains(got, "rings.json.damaged") {
		t.Errorf("logged %q", got)
	}
	if err := run(t, h, "it begins anew", never); !errors.Is(err, ErrAnew) {
		t.Errorf("ends with %v", err)
	}
}

func TestDirectoryThatIsNotThere(t *testing.T) {
	_, err := New(configOf(filepath.Join(t.TempDir(), "missing"), &manager{}, &logged{}))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "keep the state of rings") {
		t.Errorf("got %v", err)
	}
}

// TestLaterLifeGoesOn: from the places of the one before, without the manager.
func TestLaterLifeGoesOn(t *testing.T) {
	dir, log := t.TempDir(), &logged{}
	there := func(h *Heartbeat) func() bool {
		return func() bool { return len(h.Stats().Rings) == 1 && h.Stats().Rings[0].Epoch == 5 }
	}
	first, err := New(configOf(dir, &manager{places: []*model.Assignment{alone(5)}}, log))
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t, first, "it has its place", there(first)); err != nil {
		t.Fatal(err)
	}
	second, err := New(configOf(dir, &manager{fails: errors.New("it is away")}, log))
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t, second, "it has its place without the manager", there(second)); err != nil {
		t.Fatal(err)
	}
	if first.life != 1 || second.life != 2 || second.keeper.read().Nonces < first.keeper.read().Nonces {
		t.Errorf("lives %d and %d, numbers %d and %d", first.life, second.life, first.keeper.read().Nonces, second.keeper.read().Nonces)
	}
}

// TestRefusedHost says so once, and does not insist.
func TestRefusedHost(t *testing.T) {
	m, log := &manager{fails: fmt.Errorf("%w: its name is taken", model.ErrJoinRefused)}, &logged{}
	h, err := New(configOf(t.TempDir(), m, log))
	if err != nil {
		t.Fatal(err)
	}
	said := func() bool { return strings.Contains(log.String(), "its name is taken") }
	var since time.Time
	err = run(t, h, "it says that it is refused", func() bool {
		if since.IsZero() && said() {
			since = time.Now()
		}
		return !since.IsZero() && time.Since(since) > 1500*time.Millisecond
	})
	if err != nil || len(m.asked()) != 1 || strings.Count(log.String(), "level=ERROR") != 1 {
		t.Errorf("%v; asked %d times, logged %q", err, len(m.asked()), log.String())
	}
}

// TestMoved: a host joins again where it stands now, and only if that is elsewhere.
func TestMoved(t *testing.T) {
	m, log := &manager{}, &logged{}
	var mu sync.Mutex
	zone := "z1"
	cfg := configOf(t.TempDir(), m, log)
	cfg.Zone = func(netip.Addr) (string, string) {
		mu.Lock()
		defer mu.Unlock()
		return zone, ""
	}
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	step := 0
	err = run(t, h, "it joins again", func() bool {
		switch joins := m.asked(); {
		case step == 0 && len(joins) == 1:
			step++
			h.Moved() // nowhere
		case step == 1:
			time.Sleep(1100 * time.Millisecond)
			mu.Lock()
			zone = "z2"
			mu.Unlock()
			step++
			h.Moved()
		}
		return len(m.asked()) >= 2
	})
	joins := m.asked()
	if err != nil || len(joins) != 2 || joins[0].Zone != "z1" || joins[1].Zone != "z2" || joins[0].Incarnation != joins[1].Incarnation {
		t.Errorf("%v; joined as %+v", err, joins)
	}
}

// TestManagerMoved: a manager that is reached elsewhere is asked although this host would
// say the same again.
func TestManagerMoved(t *testing.T) {
	m := &manager{}
	h, err := New(configOf(t.TempDir(), m, &logged{}))
	if err != nil {
		t.Fatal(err)
	}
	told := false
	err = run(t, h, "it joins again", func() bool {
		if len(m.asked()) == 1 && !told {
			told = true
			h.ManagerMoved()
		}
		return len(m.asked()) >= 2
	})
	if joins := m.asked(); err != nil || len(joins) != 2 || joins[0] != joins[1] {
		t.Errorf("%v; joined as %+v", err, joins)
	}
}
