package bpf

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"os"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"github.com/cilium/ebpf/rlimit"
)

// Limits bound the kernel maps, in entries, and the ring buffer, in bytes. Zero
// values take the defaults.
type Limits struct {
	Edges       uint32 // default 65,536, of which UDP can have half; 280 bytes each from the start, 130 more while in use; beyond the first 1,024, 256 more of those on which connections fared in more than seven ways
	Listeners   uint32 // default 65,536
	Connections uint32 // open at one time; default 262,144; 32 bytes each from the start
	RingBytes   uint32 // default 1 MiB, a power of two and a multiple of the page size
	WithoutUDP  bool   // leaves UDP alone
	UDPBytes    bool   // counts bytes of UDP, by programs that meet every packet of a socket
	Types       *Types // shared with what else is opened; nil: its own
}

// TCP is the attached TCP program with its maps, and UDP's programs beside it where
// the kernel lets them be attached. Read has one caller; the other
// methods may be called concurrently with it and with each other.
type TCP struct {
	objs    tcpObjects
	links   []link.Link
	reader  *ringbuf.Reader
	record  ringbuf.Record
	types   *Types
	limits  Limits
	udp     *udp  // nil when UDP is not captured ...
	noUDP   error // ... because of this
	noBytes error // what keeps bytes of UDP from being counted

	boot    *bootstrapObjects // loaded at the start, until Bootstrap takes them; may be nil
	bootUDP bool              // they look for UDP's sockets too

	sctp atomic.Pointer[sctp] // nil while SCTP is not captured

	traffic   *traffic // nil when open connections cannot be read ...
	noTraffic error    // ... because of this

	unsent   *calls // nil when nobody tells of attempts that fail before anything is sent ...
	noUnsent error  // ... because of this

	mu sync.Mutex // for left
	// left are the places of edges that the latest round evicted: a program that
	// was running then may still hold one.
	left []uint32
}

// OpenTCP loads and attaches the TCP program and, if it can, UDP's. From then on nothing is missed;
// call Bootstrap for what was there before. Errors wrap ErrNotPermitted,
// ErrNoBTF or ErrUnsupported where they apply.
func OpenTCP(limits Limits) (*TCP, error) {
	t := &TCP{types: cmp.Or(limits.Types, NewTypes()), limits: limits.withDefaults()}
	// Kernels from 5.11 on charge BPF memory to the cgroup and need no limit.
	_ = rlimit.RemoveMemlock()
	if err := t.load(); err != nil {
		return nil, errors.Join(explain("load the TCP program", err), t.Close())
	}
	// All that takes long is done: little happens between this and the bootstrap.
	if err := t.attach(); err != nil {
		return nil, errors.Join(explain("attach the TCP program to inet_sock_set_state", err), t.Close())
	}
	if t.noUDP == nil {
		t.noUDP = t.attachUDP()
	}
	return t, nil
}

// load makes the maps and loads all programs at once. Only TCP's own are needed.
func (t *TCP) load() error {
	spec, err := loadTcp()
	if err != nil {
		return err
	}
	if err := t.limits.apply(spec); err != nil {
		return err
	}
	if err := spec.LoadAndAssign(&t.objs.tcpMaps, t.types.options(nil)); err != nil {
		return err
	}
	udpSpec, err := t.openUDP()
	if err != nil {
		t.noUDP = errors.Join(err, t.closeUDP())
	}
	var loading sync.WaitGroup
	var tcpErr, udpErr error
	loading.Go(func() { tcpErr = t.loadTCP(spec) })
	t.noBytes = ErrWithoutUDPBytes
	if t.udp != nil {
		loading.Go(func() { udpErr = t.udp.load(t, udpSpec) })
		if t.limits.UDPBytes {
			loading.Go(func() { t.noBytes = t.udp.loadBytes(t) })
		}
	}
	loading.Go(func() { t.traffic, t.noTraffic = t.openTraffic() })
	loading.Go(func() { t.unsent, t.noUnsent = t.openUnsent() })
	t.bootUDP = t.udp != nil
	loading.Go(func() { t.boot, _ = t.loadBootstrap() }) // Bootstrap tries again, and tells
	loading.Wait()
	if udpErr != nil {
		t.noUDP = errors.Join(explain("load the UDP programs", udpErr), t.closeUDP())
	}
	return tcpErr
}

// loadTCP loads the copies of the program that this kernel needs.
func (t *TCP) loadTCP(spec *ebpf.CollectionSpec) error {
	programs := map[string]**ebpf.Program{"tcp_state": &t.objs.TcpState, "tcp_state_again": &t.objs.TcpStateAgain}
	if programCopies() > 2 {
		programs["tcp_state_third"] = &t.objs.TcpStateThird
	}
	replace := t.shared()
	replace["healths"], replace["more_healths"], replace["steered"], replace["dials"] = t.objs.Healths, t.objs.MoreHealths, t.objs.Steered, t.objs.Dials
	return loadEach(spec, programs, t.types, replace)
}

func (t *TCP) attach() (err error) {
	if t.reader, err = ringbuf.NewReader(t.objs.Events); err != nil {
		return err
	}
	for _, prog := range []*ebpf.Program{t.objs.TcpState, t.objs.TcpStateAgain, t.objs.TcpStateThird} {
		if prog == nil {
			continue
		}
		l, err := link.AttachTracing(link.TracingOptions{Program: prog})
		if err != nil {
			return err
		}
		t.links = append(t.links, l)
	}
	return nil
}

// ways is how many connections a bucket holds: WAYS in places.h.
const ways = 8

// quickHealths is of how many places an array has what their cells have no room for: 192 KiB
// from the start.
const quickHealths = 1024

// apply sets the sizes of those maps that spec has. The table of connections is
// a power of two; a quarter more find room in its overflow.
func (l Limits) apply(spec *ebpf.CollectionSpec) error {
	buckets := uint32(1) << bits.Len32((max(l.Connections, ways)-1)/ways)
	for name, size := range map[string]uint32{
		"edges": l.Edges, "healths": min(l.Edges, quickHealths), "more_healths": max(l.Edges, quickHealths) - quickHealths + 1, "edge_ids": l.Edges, "udp_edge_ids": l.UDPEdges(), "spare_edges": l.Edges,
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
		UDPBytes:    l.UDPBytes,
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
	if s := t.sctp.Load(); s != nil {
		errs = append(errs, s.close())
	}
	if t.traffic != nil {
		errs = append(errs, t.traffic.close())
	}
	errs = append(errs, t.unsent.close())
	errs = append(errs, t.closeBootstrap())
	errs = append(errs, closeLinks(t.links))
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
	c.BytesLost += o.BytesLost
	c.HealthFull += o.HealthFull
	c.AssociationsFull += o.AssociationsFull
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

// beside prepares programs that work on some of the shared maps, which it returns with them.
func (t *TCP) beside(load func() (*ebpf.CollectionSpec, error)) (*ebpf.CollectionSpec, map[string]*ebpf.Map, error) {
	spec, err := load()
	if err != nil {
		return nil, nil, err
	}
	replace := t.shared()
	maps.DeleteFunc(replace, func(name string, _ *ebpf.Map) bool { return spec.Maps[name] == nil })
	return spec, replace, t.limits.apply(spec)
}

// Listeners calls fn for every listening socket. A walk beside changes may miss
// or repeat entries that change meanwhile. The pointers are valid until fn returns.
func (t *TCP) Listeners(fn func(cookie uint64, l *Listener)) error {
	return eachEntry(t.objs.Listeners, func(cookie *uint64, l *Listener) { fn(*cookie, l) })
}
