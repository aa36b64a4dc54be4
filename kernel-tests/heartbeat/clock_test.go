package heartbeat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"cassini/agent/heartbeat"
	"cassini/manager/rings/keeper"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// loopback is a manager with members on loopback, in this process.
type loopback struct {
	*keeper.Keeper
	mu       sync.Mutex
	verdicts []model.Verdict
}

// Join implements heartbeat.Manager.
func (l *loopback) Join(ctx context.Context, j model.Join) (*model.Joined, error) {
	return l.Keeper.Join(ctx, j)
}

// keep takes documents as the manager's log does.
func (l *loopback) keep(_ context.Context, docs []model.Document) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, doc := range docs {
		var v model.Verdict
		if doc.Package == model.PackageVerdicts && doc.Decode(&v) == nil {
			l.verdicts = append(l.verdicts, v)
		}
	}
	return nil
}

func (l *loopback) told() []model.Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]model.Verdict{}, l.verdicts...)
}

// start runs a manager and members until the test ends.
func start(t *testing.T, members int, profile model.Profile, kind string) *loopback {
	t.Helper()
	l := &loopback{}
	dir := t.TempDir()
	any := netip.MustParseAddrPort("127.0.0.1:0")
	log := slog.New(slog.DiscardHandler)
	var err error
	if l.Keeper, err = keeper.New(keeper.Config{DataDir: dir, Host: "manager", Listen: any, Profile: profile, Keep: l.keep, Logger: log}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	t.Cleanup(func() { stop(); all.Wait() })
	run := func(what func(context.Context) error) {
		all.Go(func() {
			if err := what(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	run(l.Keeper.Run)
	for n := range members {
		name := fmt.Sprintf("m%d", n)
		data := filepath.Join(dir, name)
		if err := os.Mkdir(data, 0o700); err != nil {
			t.Fatal(err)
		}
		h, err := heartbeat.New(heartbeat.Config{
			Host: name, DataDir: data, Listen: any, Manager: l, Watch: kind, Logger: log,
			Addr:   func() (netip.Addr, error) { return any.Addr(), nil },
			Zone:   func(netip.Addr) (string, string) { return "subnet:127.0.0.0/8", "" },
			Report: func(docs ...model.Document) { _ = l.keep(ctx, docs); l.Take(docs) },
		})
		if err != nil {
			t.Fatal(err)
		}
		run(h.Run)
	}
	l.whole(t, members)
	return l
}

// whole waits until the ring of all members is.
func (l *loopback) whole(t *testing.T, members int) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		v, err := l.View(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Rings) == 1 && len(v.Rings[0].Members) == members && v.Rings[0].State == model.RingWhole {
			return
		}
		if time.Since(begin) > patience {
			t.Fatalf("the ring is not whole: %+v", v.Rings)
		}
	}
}

// watchKind is the kernel's where it can be had.
func watchKind() string {
	if noTimers() != nil {
		return heartbeat.WatchUser
	}
	return heartbeat.WatchKernel
}

// TestClockSteps sets the machine's clock an hour forth and back, which only a virtual
// machine of our own bears: nobody dies of it, and deaths are told all the same.
func TestClockSteps(t *testing.T) {
	if exe, err := os.Readlink("/proc/1/exe"); os.Getenv("CASSINI_VM") == "" || err != nil || exe != "/init" {
		t.Log("NOT TESTED HERE: it sets the machine's clock; make test-vm does so in machines of its own")
		return
	}
	for _, kind := range []string{watchKind(), heartbeat.WatchUser} {
		l := start(t, 4, model.FastProfile(), kind)
		for _, step := range []time.Duration{time.Hour, -2 * time.Hour, time.Hour} {
			stepClock(t, step)
			time.Sleep(3 * time.Second) // ten times the silence
		}
		for _, v := range l.told() {
			t.Errorf("%s watch: %s says %s of %s", kind, v.ID.Reporter, v.Kind, v.Subject.Host)
		}
	}
}

func stepClock(t *testing.T, by time.Duration) {
	t.Helper()
	at := unix.NsecToTimeval(time.Now().Add(by).UnixNano())
	if err := unix.Settimeofday(&at); err != nil && !errors.Is(err, unix.EPERM) {
		t.Fatal(err)
	}
}

// TestMembersOnLoopback: agents' side and manager's in one process, in both kinds of watch.
func TestMembersOnLoopback(t *testing.T) {
	for _, kind := range []string{watchKind(), heartbeat.WatchUser} {
		l := start(t, 5, model.FastProfile(), kind)
		time.Sleep(2 * time.Second) // six times the silence
		for _, v := range l.told() {
			t.Errorf("%s watch: %s says %s of %s", kind, v.ID.Reporter, v.Kind, v.Subject.Host)
		}
	}
}
