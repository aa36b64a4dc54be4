package capture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"cassini/agent/capture"
	"cassini/bpf"
	"cassini/kernel-tests/undertest"
	"cassini/model"

	"go.uber.org/goleak"
)

const testHost = "web-17"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		os.Exit(child(os.Args[2:]))
	}
	undertest.NeedRoot("KERNEL", "test-privileged")
	goleak.VerifyTestMain(m)
}

// rig is a running capture and the documents that it emitted.
type rig struct {
	*capture.Capture
	t      *testing.T
	kernel *bpf.TCP
	// Not there where trampolines are refused, with the reason.
	accepts   *bpf.Accepts
	noAccepts error

	mu     sync.Mutex
	latest map[model.Name]model.Document
	times  map[model.Name]int // that each was emitted
	count  int
}

// start attaches, bootstraps, publishes and runs until the test ends.
func start(t *testing.T, limits bpf.Limits) *rig {
	t.Helper()
	files := openFiles(t)
	kernel, err := bpf.OpenTCP(limits)
	if err != nil {
		t.Fatalf("open: %+v", err)
	}
	if err := kernel.ProbeTraffic(); err != nil {
		t.Errorf("open connections cannot be read: %+v", err)
	}
	r := &rig{t: t, kernel: kernel, latest: make(map[model.Name]model.Document), times: make(map[model.Name]int)}
	cfg := capture.Config{Host: testHost, Kernel: kernel, Emit: r.emit, Logger: slog.New(slog.DiscardHandler)}
	accepts, err := bpf.OpenAccepts(nil)
	if r.noAccepts = err; err == nil {
		r.accepts, cfg.Accepts = accepts, accepts
	}
	r.Capture = capture.New(cfg)
	t.Cleanup(func() { // when it has ended
		// The kernel side of a socket may be let go by a finalizer a moment later.
		now := openFiles(t)
		for deadline := time.Now().Add(patience); now > files && time.Now().Before(deadline); now = openFiles(t) {
			time.Sleep(10 * time.Millisecond)
		}
		if now > files {
			t.Errorf("%d file descriptors before, %d after: some leaked", files, now)
		}
	})
	runs(t, r.Capture)
	return r
}

// part is what the agent runs to hear of one kind of sockets.
type part interface {
	Bootstrap(context.Context) error
	Publish([]model.Document) error
	Run(context.Context) error
}

// runs starts a part, and ends it with the test.
func runs(t *testing.T, p part) {
	t.Helper()
	if err := errors.Join(p.Bootstrap(t.Context()), p.Publish(nil)); err != nil {
		t.Fatalf("bootstrap: %+v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

func (r *rig) emit(docs ...model.Document) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, doc := range docs {
		if err := doc.Validate(); err != nil {
			r.t.Errorf("emitted: %v", err)
		}
		r.latest[doc.Name] = doc
		r.times[doc.Name]++
		r.count++
	}
}

func bodies[T any](r *rig, pkg string, match func(T) bool) []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []T
	for name, doc := range r.latest {
		var body T
		if name.Package != pkg {
			continue
		}
		if err := doc.Decode(&body); err != nil {
			r.t.Fatal(err)
		}
		if match(body) {
			found = append(found, body)
		}
	}
	return found
}

// listener waits for a listener document that matches.
func (r *rig) listener(what string, match func(model.Listener) bool) model.Listener {
	r.t.Helper()
	return waitFor(r, what, func() []model.Listener { return bodies(r, model.PackageListeners, match) })
}

// dependency waits for a dependency document that matches, reading counters.
func (r *rig) dependency(what string, match func(model.Dependency) bool) model.Dependency {
	r.t.Helper()
	return waitFor(r, what, func() []model.Dependency {
		r.refresh()
		return bodies(r, model.PackageDependencies, match)
	})
}

// settled waits until just one document matches and is as it should be at last. What it was
// instead is told.
func (r *rig) settled(what string, match, want func(model.Dependency) bool) model.Dependency {
	r.t.Helper()
	var last []model.Dependency
	defer func() {
		if r.t.Failed() {
			r.t.Logf("%s: %+v", what, last)
		}
	}()
	return waitFor(r, what, func() []model.Dependency {
		r.refresh()
		if last = bodies(r, model.PackageDependencies, match); len(last) == 1 && !want(last[0]) {
			return nil
		}
		return last
	})
}

func (r *rig) refresh() {
	r.t.Helper()
	if err := r.Refresh(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// patience ends a wait for what never comes; it is no measure of speed.
const patience = 30 * time.Second

func waitFor[T any](r *rig, what string, find func() []T) T {
	r.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if found := find(); len(found) == 1 {
			return found[0]
		} else if len(found) > 1 {
			r.t.Fatalf("%s: found %d: %+v", what, len(found), found)
		}
	}
	stats, err := r.Stats()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t.Fatalf("%s: never came; stats %+v, %v", what, stats, err)
	panic("not reached")
}

// inVM says that the test is alone with its kernel, which has what Debian's have.
func inVM() bool { return os.Getenv("CASSINI_VM") != "" }

// notTested leaves a test out where a kernel lacks something; in the virtual machines, whose
// kernels do not, it fails.
func notTested(t *testing.T, format string, args ...any) {
	t.Helper()
	why := fmt.Sprintf(format, args...)
	if inVM() {
		t.Fatalf("this virtual machine should have it: %s", why)
	}
	t.Skipf("NOT TESTED: %s; make test-vm runs this on kernels that have it", why)
}

func openFiles(t *testing.T) int {
	t.Helper()
	runtime.GC() // finalizers of sockets that tests let go
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
