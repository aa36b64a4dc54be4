package local

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"

	"cassini/agent/host"
	"cassini/bpf"
	"cassini/model"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a kernel that a test writes.
type fake struct {
	events  chan bpf.UnixEvent
	sockets []bpf.UnixSocket
	alive   map[uint64]bool // sockets that no process holds, and that serve
	edges   map[bpf.UnixKey]bpf.UnixEdge
	clients []bpf.UnixClient
	served  map[bpf.UnixName]uint64
	walks   int
	limit   uint32
}

func newFake() *fake {
	return &fake{
		events: make(chan bpf.UnixEvent), alive: make(map[uint64]bool), edges: make(map[bpf.UnixKey]bpf.UnixEdge),
		served: make(map[bpf.UnixName]uint64), limit: 100,
	}
}

func (f *fake) Read(e *bpf.UnixEvent) error {
	event, ok := <-f.events
	if !ok {
		return os.ErrClosed
	}
	*e = event
	return nil
}

func (f *fake) Pending() int { return 0 }

func (f *fake) Adopt(ctx context.Context, fn func(*bpf.UnixSocket)) error { return f.Sockets(ctx, fn) }

func (f *fake) Sockets(_ context.Context, fn func(*bpf.UnixSocket)) error {
	f.walks++
	for _, s := range f.sockets {
		fn(&s)
	}
	return nil
}

func (f *fake) Clients(_ context.Context, fn func(*bpf.UnixClient)) error {
	for _, c := range f.clients {
		fn(&c)
	}
	return nil
}

func (f *fake) Where(*bpf.UnixSocket) (string, error) { return "", nil }

func (f *fake) StillServes(s *bpf.UnixSocket) (bool, error) {
	for _, held := range f.sockets {
		if held.Cookie == s.Cookie {
			return true, nil
		}
	}
	return f.alive[s.Cookie], nil
}

func (f *fake) Serve(name bpf.UnixName, s *bpf.UnixSocket) error {
	if delete(f.served, name); s != nil {
		f.served[name] = s.Cookie
	}
	return nil
}

func (f *fake) Edges(fn func(*bpf.UnixKey, *bpf.UnixEdge)) error {
	for key, e := range f.edges {
		fn(&key, &e)
	}
	return nil
}

func (f *fake) Edge(key bpf.UnixKey) (bpf.UnixEdge, bool, error) {
	e, ok := f.edges[key]
	return e, ok, nil
}

func (f *fake) Evict(keys []bpf.UnixKey, fn func(bpf.UnixKey, *bpf.UnixEdge)) error {
	for _, key := range keys {
		last := f.edges[key]
		delete(f.edges, key)
		fn(key, &last)
	}
	return nil
}

func (f *fake) Counters() (bpf.UnixCounters, error) { return bpf.UnixCounters{}, nil }
func (f *fake) BytesSkipped() (uint64, error)       { return 0, nil }
func (f *fake) Maps() []bpf.MapUse                  { return []bpf.MapUse{{Name: "unix_edges"}} }
func (f *fake) Limits() bpf.UnixLimits              { return bpf.UnixLimits{Edges: f.limit} }
func (f *fake) Close() error                        { close(f.events); return nil }

// dial makes or moves the edge of one program to one name.
func (f *fake) dial(name uint64, text string, move func(*bpf.UnixEdge)) bpf.UnixKey {
	key := bpf.UnixKey{ExeIno: 7, Name: bpf.UnixName{Hash: [2]uint64{name, name}, Space: 1}}
	e, known := f.edges[key]
	if !known {
		e = bpf.UnixEdge{FirstNs: 1, Type: 1, Len: uint16(copy(e.Text[:], text)), Whole: 1}
		copy(e.Text[:], text)
		e.Owner.Tgid, e.Owner.Comm = 1<<30, [16]uint8{'c', 'l'}
	}
	e.Attempts++
	e.LastNs++
	move(&e)
	f.edges[key] = e
	return key
}

// bound is a listening socket as a process holds it.
func bound(cookie uint64, text string, pid uint32) bpf.UnixSocket {
	s := bpf.UnixSocket{Cookie: cookie, Sk: cookie, Netns: 1, Type: 1, Len: uint16(len(text))}
	copy(s.Text[:], text)
	s.Owner.Tgid, s.Owner.StartNs, s.Owner.Comm = pid, uint64(pid), [16]uint8{'s', 'v'}
	return s
}

type rig struct {
	*Local
	kernel *fake
	t      *testing.T
	docs   map[string]model.Document
	sent   int
}

func newRig(t *testing.T) *rig {
	r := &rig{kernel: newFake(), t: t, docs: make(map[string]model.Document)}
	r.Local = New(Config{Host: "h", Kernel: r.kernel, Processes: host.NewProcesses(), Logger: slog.New(slog.DiscardHandler), Emit: func(docs ...model.Document) {
		for _, doc := range docs {
			if err := doc.Validate(); err != nil {
				t.Error(err)
			}
			r.docs[doc.Key] = doc
			r.sent++
		}
	}})
	return r
}

func (r *rig) begin() {
	r.t.Helper()
	if err := errors.Join(r.Bootstrap(r.t.Context()), r.Publish(nil)); err != nil {
		r.t.Fatal(err)
	}
}

// ask refreshes, as if the last walk were long ago.
func (r *rig) ask() {
	r.t.Helper()
	r.walks.After = 0
	if err := r.Refresh(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func decoded[T any](r *rig, key string) (body T) {
	r.t.Helper()
	doc, ok := r.docs[key]
	if !ok {
		r.t.Fatalf("no document %s of %v", key, r.docs)
	}
	if err := doc.Decode(&body); err != nil {
		r.t.Fatal(err)
	}
	return body
}

const (
	listenerKey = "unix:@s@net:[1]"
	clientKey   = "out/[cl]->unix:@s@net:[1]"
)
