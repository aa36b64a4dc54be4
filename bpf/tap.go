package bpf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// TapSocket is a packet or raw socket, and one process that holds it, from tap.h.
type TapSocket = tapscanTapSocket

// Families of a TapSocket.
const (
	FamilyPacket = uint8(unix.AF_PACKET)
	FamilyIPv4   = uint8(unix.AF_INET)
	FamilyIPv6   = uint8(unix.AF_INET6)
)

// TapEventKind says what a TapEvent tells.
type TapEventKind uint32

// Kinds of events.
const (
	TapOpened = TapEventKind(tapscanTapEventKindTAP_EVENT_OPENED) // opened, or bound since: Socket and Image are set
	TapClosed = TapEventKind(tapscanTapEventKindTAP_EVENT_CLOSED) // Socket.Cookie is set
)

// TapEvent is one record of the ring buffer.
type TapEvent struct {
	Kind   TapEventKind
	Socket TapSocket
	Image  Image
}

// Taps tells of packet sockets and raw IP sockets. Read has one caller; the other methods
// may be called concurrently with it and with each other.
type Taps struct {
	scan    tapscanObjects
	root    *os.File // of the cgroup v2
	links   []link.Link
	closers []func() error
	iter    *link.Iter
	reader  *ringbuf.Reader
	record  ringbuf.Record
	noTold  [2]error // why packet sockets, and raw ones, are not told of as they come and go
	create  bool     // raw sockets are told of as they come
}

// OpenTaps loads and attaches the programs. What cannot be told as it happens is found by
// Sockets alone; Packet and Raw say so. types may be nil. Errors wrap ErrNotPermitted, ErrNoBTF or
// ErrUnsupported where they apply.
func OpenTaps(types *Types) (*Taps, error) {
	t := &Taps{}
	types = cmp.Or(types, NewTypes())
	if err := t.loadScan(types); err != nil {
		return nil, errors.Join(explain("load the program that looks at packet and raw sockets", err), t.Close())
	}
	t.noTold[0] = t.openPacket(types)
	if t.noTold[1] = t.openRaw(types); t.noTold[1] != nil {
		if err := t.openCgroup(types); err != nil {
			t.noTold[1] = errors.Join(t.noTold[1], err)
		} else {
			t.create = true
		}
	}
	return t, nil
}

func (t *Taps) loadScan(types *Types) error {
	spec, err := loadTapscan()
	if err != nil {
		return err
	}
	if err := spec.LoadAndAssign(&t.scan, types.options(nil)); err != nil {
		return err
	}
	if t.iter, err = link.AttachIter(link.IterOptions{Program: t.scan.ScanTaps}); err != nil {
		return fmt.Errorf("attach iterator: %w", err)
	}
	t.reader, err = ringbuf.NewReader(t.scan.TapEvents)
	return err
}

func (t *Taps) options(types *Types) *ebpf.CollectionOptions {
	return types.options(map[string]*ebpf.Map{
		"tap_events": t.scan.TapEvents, "tap_counts": t.scan.TapCounts,
	})
}

// openPacket hears of packet sockets as the kernel's functions run.
func (t *Taps) openPacket(types *Types) error {
	var objs struct {
		Opened *ebpf.Program `ebpf:"packet_opened"`
		Bound  *ebpf.Program `ebpf:"packet_bound"`
		Closed *ebpf.Program `ebpf:"packet_closed"`
	}
	spec, err := loadTaptrace()
	if err == nil {
		err = spec.LoadAndAssign(&objs, t.options(types))
	}
	if err != nil {
		return fmt.Errorf("load programs at packet_create and packet_release (trampolines may be refused, even to root): %w", err)
	}
	return t.attach(objs.Closed, objs.Bound, objs.Opened)
}

// openRaw does likewise for raw sockets.
func (t *Taps) openRaw(types *Types) error {
	var objs struct {
		Opened *ebpf.Program `ebpf:"raw_opened"`
		Closed *ebpf.Program `ebpf:"raw_closed"`
	}
	spec, err := loadTaptrace()
	if err == nil {
		err = spec.LoadAndAssign(&objs, t.options(types))
	}
	if err != nil {
		return fmt.Errorf("load programs at raw_hash_sk and raw_unhash_sk (trampolines may be refused, even to root): %w", err)
	}
	return t.attach(objs.Closed, objs.Opened)
}

// attach attaches all or none: an arm64 kernel may load what it does not attach.
func (t *Taps) attach(programs ...*ebpf.Program) error {
	links, err := attachTracing(programs...)
	if err != nil {
		for _, p := range programs {
			err = errors.Join(err, p.Close())
		}
		return err
	}
	t.links = append(t.links, links...)
	for _, p := range programs {
		t.closers = append(t.closers, p.Close)
	}
	return nil
}

// openCgroup hears of raw sockets at the root of the cgroup v2.
func (t *Taps) openCgroup(types *Types) (err error) {
	if t.root, err = openCgroupRoot(); err != nil {
		return err
	}
	var objs tapcgroupObjects
	spec, err := loadTapcgroup()
	if err == nil {
		err = spec.LoadAndAssign(&objs, t.options(types))
	}
	if err != nil {
		return explain("load the program that hears of raw sockets", err)
	}
	t.closers = append(t.closers, objs.Close)
	links, err := attachCgroup(t.root, hook{ebpf.AttachCGroupInetSockCreate, objs.SocketCreated})
	t.links = append(t.links, links...)
	return explain("hear of raw sockets", err)
}

// Packet is what keeps packet sockets from being told of as they are opened and closed, or
// nil.
func (t *Taps) Packet() error { return t.noTold[0] }

// Raw is likewise for raw sockets; opened says that they are told of as they are opened.
func (t *Taps) Raw() (opened bool, err error) { return t.create || t.noTold[1] == nil, t.noTold[1] }

// Read waits for the next event and decodes it into e. It returns os.ErrClosed after
// Close, and errors that wrap ErrBadEvent for a record it cannot read.
func (t *Taps) Read(e *TapEvent) error {
	if err := t.reader.ReadInto(&t.record); err != nil {
		if errors.Is(err, ringbuf.ErrClosed) {
			return os.ErrClosed
		}
		return fmt.Errorf("read events of packet and raw sockets: %w", err)
	}
	return parseTapEvent(t.record.RawSample, e)
}

func parseTapEvent(raw []byte, e *TapEvent) error {
	if len(raw) < int(unsafe.Sizeof(tapscanTapEvent{})) {
		return fmt.Errorf("%w: %d bytes, want %d", ErrBadEvent, len(raw), unsafe.Sizeof(tapscanTapEvent{}))
	}
	// As in parseEvent.
	rec := (*tapscanTapEvent)(unsafe.Pointer(unsafe.SliceData(raw)))
	*e = TapEvent{Kind: TapEventKind(rec.Kind), Socket: rec.Socket}
	switch e.Kind {
	case TapClosed:
		return nil
	case TapOpened:
		e.Image = (*tcpEvent)(unsafe.Pointer(&rec.Image)).image() // both are struct event
		return nil
	}
	return fmt.Errorf("%w: unknown kind %d", ErrBadEvent, rec.Kind)
}

// Sockets calls fn for every process and packet or raw socket that it holds, in every
// namespace. The pointer is valid until fn returns.
func (t *Taps) Sockets(ctx context.Context, fn func(*TapSocket)) error {
	if err := readRecords(ctx, t.iter, fn); err != nil {
		return fmt.Errorf("look for packet and raw sockets: %w", err)
	}
	return nil
}

// Pending is how many events wait to be read.
func (t *Taps) Pending() int {
	return t.reader.AvailableBytes() / (int(unsafe.Sizeof(tapscanTapEvent{})) + 8)
}

// RingFull is how many events found no room.
func (t *Taps) RingFull() (uint64, error) {
	var c tapscanTapCounters
	if err := t.scan.TapCounts.Lookup(uint32(0), &c); err != nil {
		return 0, fmt.Errorf("read counters of packet and raw sockets: %w", err)
	}
	return c.RingFull, nil
}

// Maps describes the maps of the programs.
func (t *Taps) Maps() []MapUse {
	use := MapUse{Name: "tap_events", Limit: int(t.scan.TapEvents.MaxEntries())}
	if info, err := t.scan.TapEvents.Info(); err == nil {
		use.Bytes, _ = info.Memlock()
	}
	return []MapUse{use}
}

// Close detaches the programs and frees their maps.
func (t *Taps) Close() error {
	errs := []error{closeLinks(t.links)}
	for _, c := range t.closers {
		errs = append(errs, c())
	}
	if t.iter != nil {
		errs = append(errs, t.iter.Close())
	}
	if t.reader != nil {
		errs = append(errs, t.reader.Close())
	}
	if t.scan.ScanTaps != nil {
		errs = append(errs, t.scan.Close())
	}
	if t.root != nil {
		errs = append(errs, t.root.Close())
	}
	return errors.Join(errs...)
}
