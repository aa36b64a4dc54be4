package bpf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"
)

// Limits bound the kernel maps, in entries, and the ring buffer, in bytes. Zero
// values take the defaults.
type Limits struct {
	Edges       uint32 // default 65,536, of which UDP can have half; 280 bytes each from the start, 130 more while in use
	Listeners   uint32 // default 65,536
	Connections uint32 // open at one time; default 262,144; 32 bytes each from the start
	RingBytes   uint32 // default 1 MiB, a power of two and a multiple of the page size
	WithoutUDP  bool   // leaves UDP alone
}

// TCP is the attached TCP program with its maps, and UDP's programs beside it where
// the kernel lets them be attached. Read has one caller; the other
// methods may be called concurrently with it and with each other.
type TCP struct {
	objs   tcpObjects
	links  []link.Link
	reader *ringbuf.Reader
	record ringbuf.Record
	cache  *btf.Cache
	limits Limits
	udp    *udp  // nil when UDP is not captured ...
	noUDP  error // ... because of this

	traffic   *traffic // nil when open connections cannot be read ...
	noTraffic error    // ... because of this

	mu sync.Mutex // for left
	// left are the places of edges that the latest round evicted: a program that
	// was running then may still hold one.
	left []uint32
}

// OpenTCP loads and attaches the TCP program and, if it can, UDP's. From then on nothing is missed;
// call Bootstrap for what was there before. Errors wrap ErrNotPermitted,
// ErrNoBTF or ErrUnsupported where they apply.
func OpenTCP(limits Limits) (*TCP, error) {
	t := &TCP{cache: btf.NewCache()}
	// Kernels from 5.11 on charge BPF memory to the cgroup and need no limit.
	_ = rlimit.RemoveMemlock()
	if err := t.load(limits); err != nil {
		return nil, errors.Join(explain("load the TCP program", err), t.Close())
	}
	t.noUDP = t.loadUDP()
	t.traffic, t.noTraffic = t.openTraffic()
	// All that takes long is done: little happens between this and the bootstrap.
	if err := t.attach(); err != nil {
		return nil, errors.Join(explain("attach the TCP program to inet_sock_set_state", err), t.Close())
	}
	if t.noUDP == nil {
		t.noUDP = t.attachUDP()
	}
	return t, nil
}

func (t *TCP) load(limits Limits) error {
	spec, err := loadTcp()
	if err != nil {
		return err
	}
	t.limits = limits.withDefaults()
	if err := t.limits.apply(spec); err != nil {
		return err
	}
	return spec.LoadAndAssign(&t.objs, &ebpf.CollectionOptions{Cache: t.cache})
}

func (t *TCP) attach() (err error) {
	if t.reader, err = ringbuf.NewReader(t.objs.Events); err != nil {
		return err
	}
	programs := []*ebpf.Program{t.objs.TcpState, t.objs.TcpStateAgain}
	// Since then programs at tracepoints may be preempted (include/linux/tracepoint.h).
	if version, err := features.LinuxVersionCode(); err != nil || version >= 7<<16 {
		programs = append(programs, t.objs.TcpStateThird)
	}
	for _, prog := range programs {
		l, err := link.AttachTracing(link.TracingOptions{Program: prog})
		if err != nil {
			return err
		}
		t.links = append(t.links, l)
	}
	return nil
}

// ways is how many connections a bucket holds: WAYS in sockets.h.
const ways = 8

// apply sets the sizes of those maps that spec has. The table of connections is
// a power of two; a quarter more find room in its overflow.
func (l Limits) apply(spec *ebpf.CollectionSpec) error {
	buckets := uint32(1) << bits.Len32((max(l.Connections, ways)-1)/ways)
	for name, size := range map[string]uint32{
		"edges": l.Edges, "edge_ids": l.Edges, "udp_edge_ids": l.UDPEdges(), "spare_edges": l.Edges,
		"listeners": l.Listeners, "ports": l.Listeners,
		"connections": buckets, "overflow": max(buckets*ways/4, 1),
		"events": l.RingBytes, "flows": flowsLimit / ways,
	} {
		if m := spec.Maps[name]; m != nil {
			m.MaxEntries = size
		}
	}
	return errors.Join(spec.Variables["buckets"].Set(buckets), spec.Variables["edge_places"].Set(l.Edges))
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Edges:       cmp.Or(l.Edges, 65536),
		Listeners:   cmp.Or(l.Listeners, 65536),
		Connections: cmp.Or(l.Connections, 262144),
		RingBytes:   cmp.Or(l.RingBytes, 1<<20),
		WithoutUDP:  l.WithoutUDP,
	}
}

// UDPEdges is how many of the edges UDP can have: the rest is there for TCP, however
// many addresses send datagrams.
func (l Limits) UDPEdges() uint32 { return max(l.Edges/2, 1) }

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
	if t.udp != nil { // kept, as other methods may be running
		errs = append(errs, t.udp.close())
	}
	if t.traffic != nil {
		errs = append(errs, t.traffic.close())
	}
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
	c.RingFull += o.RingFull
	c.EdgesFull += o.EdgesFull
	c.UdpEdgesFull += o.UdpEdgesFull
	c.ListenersFull += o.ListenersFull
	c.SocketsFull += o.SocketsFull
	c.Unattributed += o.Unattributed
	c.UnattributedClosed += o.UnattributedClosed
	c.EdgeLost += o.EdgeLost
	c.Stale += o.Stale
	c.HandshakeAborted += o.HandshakeAborted
	c.FlowsFull += o.FlowsFull
	c.PeersFull += o.PeersFull
	c.Stray += o.Stray
	c.ToAll += o.ToAll
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
	if err := t.limits.apply(spec); err != nil {
		return nil, fmt.Errorf("load the bootstrap programs: %w", err)
	}
	if err := spec.Variables["with_udp"].Set(t.udp != nil); err != nil {
		return nil, fmt.Errorf("load the bootstrap programs: %w", err)
	}
	replace := t.shared()
	if t.udp != nil {
		replace["udp_sockets"], replace["flows"] = t.udp.objs.UdpSockets, t.udp.objs.Flows
	}
	var objs bootstrapObjects
	err = spec.LoadAndAssign(&objs, &ebpf.CollectionOptions{Cache: t.cache, MapReplacements: replace})
	return &objs, explain("load the bootstrap programs", err)
}

// shared are the maps that UDP's programs and the bootstrap's work on too.
func (t *TCP) shared() map[string]*ebpf.Map {
	return map[string]*ebpf.Map{
		"connections":  t.objs.Connections,
		"overflow":     t.objs.Overflow,
		"edges":        t.objs.Edges,
		"edge_ids":     t.objs.EdgeIds,
		"udp_edge_ids": t.objs.UdpEdgeIds,
		"spare_edges":  t.objs.SpareEdges,
		"table_states": t.objs.TableStates,
		"listeners":    t.objs.Listeners,
		"ports":        t.objs.Ports,
		"counters":     t.objs.Counters,
		"events":       t.objs.Events,
	}
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
		tables := func() error {
			return errors.Join(scan(ctx, objs.ScanTcp), scan(ctx, objs.ScanUdp))
		}
		if err := eachNetns(tables); err != nil {
			return fmt.Errorf("scan tables of sockets: %w", err)
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

// tableState reads what the tables themselves do not tell.
func (t *TCP) tableState() (state tcpTableState, err error) {
	if err := t.objs.TableStates.Lookup(uint32(0), &state); err != nil {
		return state, fmt.Errorf("read the state of the tables: %w", err)
	}
	return state, nil
}

// Overflow is how many open connections found their bucket full.
func (t *TCP) Overflow() (uint64, error) {
	state, err := t.tableState()
	return state.Overflow, err
}

// Edges calls fn for every edge, likewise, with its place: below Limits().Edges, and
// another edge's once this one was evicted, with another Life.
func (t *TCP) Edges(fn func(place uint32, edge *Edge)) error {
	state, err := t.tableState()
	if err != nil {
		return err
	}
	return eachPlace(t.objs.Edges, int(min(state.Edges, uint64(t.limits.Edges))), func(place uint32, edge *Edge) {
		if edge.Used != 0 {
			fn(place, edge)
		}
	})
}

// Edge reads one edge; ok is false when it is not there.
func (t *TCP) Edge(key EdgeKey) (edge Edge, ok bool, err error) {
	var place uint32
	err = t.edgeIDs(key).Lookup(&key, &place)
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return Edge{}, false, nil
	}
	if err == nil {
		err = t.objs.Edges.Lookup(place, &edge)
	}
	if err != nil {
		return Edge{}, false, fmt.Errorf("read edge: %w", err)
	}
	return edge, true, nil
}

// edgeIDs is the map that has the edge's place.
func (t *TCP) edgeIDs(key EdgeKey) *ebpf.Map {
	if key.Proto == ProtoUDP {
		return t.objs.UdpEdgeIds
	}
	return t.objs.EdgeIds
}

// Evict removes edges and calls fn with the last counters of each. Their places
// are used again after the next call, when no program can still be counting there.
func (t *TCP) Evict(keys []EdgeKey, fn func(key EdgeKey, last *Edge)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.left) > 0 {
		if err := t.objs.SpareEdges.Update(nil, t.left[0], ebpf.UpdateAny); err != nil {
			return fmt.Errorf("give back the place of an edge: %w", err)
		}
		t.left = t.left[1:]
	}
	for _, key := range keys {
		if err := t.evict(key, fn); err != nil {
			return fmt.Errorf("evict edge: %w", err)
		}
	}
	return nil
}

func (t *TCP) evict(key EdgeKey, fn func(key EdgeKey, last *Edge)) error {
	var (
		place uint32
		last  Edge
	)
	ids := t.edgeIDs(key)
	if err := ids.Lookup(&key, &place); err != nil {
		return err
	}
	if err := ids.Delete(&key); err != nil {
		return err
	}
	if err := t.objs.Edges.Lookup(place, &last); err != nil {
		return err
	}
	if err := t.objs.Edges.Update(place, &Edge{Life: last.Life + 1}, ebpf.UpdateAny); err != nil {
		return err
	}
	t.left = append(t.left, place)
	fn(key, &last)
	return nil
}
