package bpf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"
)

// Limits bound the kernel maps, in entries, and the ring buffer, in bytes. Zero
// values take the defaults.
type Limits struct {
	Edges     uint32 // default 65,536; about 340 bytes each while in use
	Listeners uint32 // default 65,536
	RingBytes uint32 // default 1 MiB, a power of two and a multiple of the page size
}

// TCP is the attached TCP program with its maps. Read has one caller; the other
// methods may be called concurrently with it and with each other.
type TCP struct {
	objs   tcpObjects
	links  []link.Link
	reader *ringbuf.Reader
	record ringbuf.Record
	cache  *btf.Cache
	limits Limits
}

// OpenTCP loads and attaches the TCP program. From then on nothing is missed;
// call Bootstrap for what was there before. Errors wrap ErrNotPermitted,
// ErrNoBTF or ErrUnsupported where they apply.
func OpenTCP(limits Limits) (*TCP, error) {
	t := &TCP{cache: btf.NewCache()}
	// Kernels from 5.11 on charge BPF memory to the cgroup and need no limit.
	_ = rlimit.RemoveMemlock()
	if err := t.load(limits); err != nil {
		return nil, errors.Join(explain("load the TCP program", err), t.Close())
	}
	if err := t.attach(); err != nil {
		return nil, errors.Join(explain("attach the TCP program to inet_sock_set_state", err), t.Close())
	}
	return t, nil
}

func (t *TCP) load(limits Limits) error {
	spec, err := loadTcp()
	if err != nil {
		return err
	}
	for name, want := range map[string]uint32{"edges": limits.Edges, "listeners": limits.Listeners, "events": limits.RingBytes} {
		if want != 0 {
			spec.Maps[name].MaxEntries = want
		}
	}
	t.limits = Limits{
		Edges:     spec.Maps["edges"].MaxEntries,
		Listeners: spec.Maps["listeners"].MaxEntries,
		RingBytes: spec.Maps["events"].MaxEntries,
	}
	return spec.LoadAndAssign(&t.objs, &ebpf.CollectionOptions{Cache: t.cache})
}

func (t *TCP) attach() (err error) {
	if t.reader, err = ringbuf.NewReader(t.objs.Events); err != nil {
		return err
	}
	for _, prog := range []*ebpf.Program{t.objs.TcpState, t.objs.TcpStateAgain} {
		l, err := link.AttachTracing(link.TracingOptions{Program: prog})
		if err != nil {
			return err
		}
		t.links = append(t.links, l)
	}
	return nil
}

// Limits returns the bounds in use.
func (t *TCP) Limits() Limits { return t.limits }

// Read waits for the next event and decodes it into e. It returns os.ErrClosed
// after Close, and errors that wrap ErrBadEvent for a record it cannot read.
func (t *TCP) Read(e *Event) error {
	if err := t.reader.ReadInto(&t.record); err != nil {
		if errors.Is(err, ringbuf.ErrClosed) {
			return os.ErrClosed
		}
		return fmt.Errorf("read events: %w", err)
	}
	return parseEvent(t.record.RawSample, e)
}

// Pending is how many events wait to be read.
func (t *TCP) Pending() int { return t.reader.AvailableBytes() / recordSize }

// Close detaches the program and frees its maps.
func (t *TCP) Close() error {
	var errs []error
	for _, l := range t.links {
		errs = append(errs, l.Close())
	}
	if t.reader != nil {
		errs = append(errs, t.reader.Close())
	}
	if t.objs.Edges != nil {
		errs = append(errs, t.objs.Close())
	}
	return errors.Join(errs...)
}

// Counters sums the program's totals over all CPUs.
func (t *TCP) Counters() (Counters, error) {
	var perCPU []Counters
	if err := t.objs.Counters.Lookup(uint32(0), &perCPU); err != nil {
		return Counters{}, fmt.Errorf("read counters: %w", err)
	}
	var sum Counters
	for i := range perCPU {
		sum.add(&perCPU[i])
	}
	return sum, nil
}

func (c *tcpCounters) add(o *tcpCounters) {
	c.Listen += o.Listen
	c.Unlisten += o.Unlisten
	c.Connect += o.Connect
	c.Established += o.Established
	c.Accepted += o.Accepted
	c.Failed += o.Failed
	c.Closed += o.Closed
	c.RingFull += o.RingFull
	c.EdgesFull += o.EdgesFull
	c.ListenersFull += o.ListenersFull
	c.StorageFailed += o.StorageFailed
	c.Unattributed += o.Unattributed
	c.UnattributedClosed += o.UnattributedClosed
	c.EdgeLost += o.EdgeLost
	c.HandshakeAborted += o.HandshakeAborted
}

// ProbeBootstrap tells what keeps Bootstrap from working on this kernel, or nil.
func (t *TCP) ProbeBootstrap() error {
	objs, err := t.loadBootstrap()
	if err != nil {
		return err
	}
	return objs.Close()
}

func (t *TCP) loadBootstrap() (*bootstrapObjects, error) {
	spec, err := loadBootstrap()
	if err != nil {
		return nil, fmt.Errorf("load the bootstrap programs: %w", err)
	}
	spec.Maps["edges"].MaxEntries = t.limits.Edges
	spec.Maps["listeners"].MaxEntries = t.limits.Listeners
	var objs bootstrapObjects
	err = spec.LoadAndAssign(&objs, &ebpf.CollectionOptions{
		Cache: t.cache,
		MapReplacements: map[string]*ebpf.Map{
			"sock_states": t.objs.SockStates,
			"edges":       t.objs.Edges,
			"listeners":   t.objs.Listeners,
			"counters":    t.objs.Counters,
		},
	})
	return &objs, explain("load the bootstrap programs", err)
}

// Bootstrap puts what existed before the program was attached into its maps, by
// BPF iterators: once over all open files, and once in every network namespace
// that eachNetns enters. eachNetns calls its function with the calling thread
// inside each namespace in turn. Read the result with Listeners and Edges.
func (t *TCP) Bootstrap(ctx context.Context, eachNetns func(func() error) error) (err error) {
	objs, err := t.loadBootstrap()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, objs.Close()) }()
	defer func() { t.cache = nil }() // several MiB of the kernel's types
	for _, pass := range []uint32{1, 2} {
		if err := objs.Pass.Set(pass); err != nil {
			return fmt.Errorf("set bootstrap pass: %w", err)
		}
		if err := scan(ctx, objs.ScanFiles); err != nil {
			return fmt.Errorf("scan open files: %w", err)
		}
		if err := eachNetns(func() error { return scan(ctx, objs.ScanTcp) }); err != nil {
			return fmt.Errorf("scan TCP tables: %w", err)
		}
	}
	return nil
}

// scan runs an iterator program over everything it iterates, in the network
// namespace of the calling thread.
func scan(ctx context.Context, prog *ebpf.Program) (err error) {
	it, err := link.AttachIter(link.IterOptions{Program: prog})
	if err != nil {
		return explain("attach iterator", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	out, err := it.Open()
	if err != nil {
		return fmt.Errorf("open iterator: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	var buf [64]byte
	for ctx.Err() == nil {
		// A long walk that writes nothing is interrupted with EAGAIN.
		if _, err := out.Read(buf[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil && !errors.Is(err, unix.EAGAIN) {
			return fmt.Errorf("read iterator: %w", err)
		}
	}
	return ctx.Err()
}

// Listeners calls fn for every listening socket. A walk beside changes may miss
// or repeat entries that change meanwhile. The pointers are valid until fn returns.
func (t *TCP) Listeners(fn func(cookie uint64, l *Listener)) error {
	return eachEntry(t.objs.Listeners, func(cookie *uint64, l *Listener) { fn(*cookie, l) })
}

// Edges calls fn for every edge, likewise.
func (t *TCP) Edges(fn func(key *EdgeKey, edge *Edge)) error {
	return eachEntry(t.objs.Edges, fn)
}

// Edge reads one edge; ok is false when it is not in the map.
func (t *TCP) Edge(key EdgeKey) (edge Edge, ok bool, err error) {
	err = t.objs.Edges.Lookup(&key, &edge)
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return Edge{}, false, nil
	}
	if err != nil {
		return Edge{}, false, fmt.Errorf("read edge: %w", err)
	}
	return edge, true, nil
}

// EvictEdge removes an edge and returns its last counters.
func (t *TCP) EvictEdge(key EdgeKey) (edge Edge, err error) {
	if err := t.objs.Edges.LookupAndDelete(&key, &edge); err != nil {
		return Edge{}, fmt.Errorf("evict edge: %w", err)
	}
	return edge, nil
}
