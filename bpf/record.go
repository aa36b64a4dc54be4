package bpf

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The shapes that the kernel side shares with Go, generated from shared.h.
type (
	// EdgeKey names one edge: a program here, an address there, a service port.
	EdgeKey = tcpEdgeKey
	// Edge holds an edge's counters; Waiting can fall. FirstNs and LastNs are CLOCK_MONOTONIC
	// nanoseconds, RttUs a sum over Closed. What connections moved is added as they close;
	// OpenTraffic tells of those that are open. Of UDP, Retransmits and RttUs are Datagrams.
	Edge = tcpEdge
	// Owner is who a socket belongs to; Kind is one of the Owner constants.
	// StartNs is the process's start, CLOCK_BOOTTIME nanoseconds.
	Owner = tcpOwner
	// Listener is a listening socket; StartedNs is CLOCK_MONOTONIC, 0 when it is
	// older than the programs.
	Listener = tcpListener
	// Sample is what an edge tells of an owner beside its key.
	Sample = tcpSample
	// Health is how the connections of an edge fared that have closed: counts by bucket,
	// each modulo 2^32. health.h says where buckets end.
	Health = tcpHealth
	// Counters are the totals of the TCP program, summed over all CPUs.
	Counters = tcpCounters
)

// Protocols of an EdgeKey and of a Listener.
const (
	ProtoTCP  = uint8(unix.IPPROTO_TCP)
	ProtoUDP  = uint8(unix.IPPROTO_UDP)
	ProtoSCTP = uint8(unix.IPPROTO_SCTP)
)

// Directions of an EdgeKey.
const (
	DirectionUnknown = uint8(tcpDirectionDIR_UNKNOWN)
	DirectionOut     = uint8(tcpDirectionDIR_OUT)
	DirectionIn      = uint8(tcpDirectionDIR_IN)
)

// Kinds of an Owner.
const (
	OwnerProcess = uint32(tcpOwnerKindOWNER_PROCESS)
	OwnerKernel  = uint32(tcpOwnerKindOWNER_KERNEL)
	OwnerUnknown = uint32(tcpOwnerKindOWNER_UNKNOWN) // a process that could not be told; Uid is the socket's
)

// EventKind says what an Event tells.
type EventKind uint32

// Kinds of events.
const (
	EventListen   = EventKind(tcpEventKindEVENT_LISTEN)   // Cookie, Listener and Image are set
	EventUnlisten = EventKind(tcpEventKindEVENT_UNLISTEN) // Cookie is set
	EventEdge     = EventKind(tcpEventKindEVENT_EDGE)     // first connection; Key and Owner are set, Image for DirectionOut
	EventFailed   = EventKind(tcpEventKindEVENT_FAILED)   // a failed connection, the first of a minute; Key is set
	EventFull     = EventKind(tcpEventKindEVENT_FULL)     // an edge found no room
	EventHeard    = EventKind(tcpEventKindEVENT_HEARD)    // first sign of use of an edge of connected UDP sockets; Key is set
	EventMany     = EventKind(tcpEventKindEVENT_MANY)     // a count of an edge's health went half of the way round; Key is set
)

// Image is what the kernel knew of the process at the moment of an event. Parts
// that could not be read are empty.
type Image struct {
	Exe     string   // path in the process's mount namespace
	Cwd     string   // likewise
	Cmdline []string // the first 512 bytes
	// CmdlineCut says that there was more.
	CmdlineCut bool
}

// Event is one record of the ring buffer.
type Event struct {
	Kind     EventKind
	Cookie   uint64 // socket cookie of the listener
	Key      EdgeKey
	Owner    Owner
	Listener Listener
	Image    Image
}

// recordSize is what each event takes in the ring buffer, in bytes: 8 are the
// kernel's header (BPF_RINGBUF_HDR_SZ), and the size is a multiple of 8.
const recordSize = int(unsafe.Sizeof(tcpEvent{})) + 8

// parseEvent decodes a raw record into e.
func parseEvent(raw []byte, e *Event) error {
	if len(raw) < int(unsafe.Sizeof(tcpEvent{})) {
		return fmt.Errorf("%w: %d bytes, want %d", ErrBadEvent, len(raw), unsafe.Sizeof(tcpEvent{}))
	}
	// The kernel wrote this very struct on this machine; the objects are built
	// for its byte order alone, and records are 8-byte aligned.
	rec := (*tcpEvent)(unsafe.Pointer(unsafe.SliceData(raw)))
	*e = Event{Kind: EventKind(rec.Kind), Cookie: rec.Cookie}
	switch e.Kind {
	case EventUnlisten, EventFull:
		return nil
	case EventFailed, EventHeard, EventMany:
		e.Key = rec.Key
		return nil
	case EventListen:
		e.Listener, e.Owner, e.Image = rec.Listener, rec.Listener.Owner, rec.image()
		return nil
	case EventEdge:
		e.Key, e.Owner, e.Image = rec.Key, rec.Listener.Owner, rec.image()
		return nil
	}
	return fmt.Errorf("%w: unknown kind %d", ErrBadEvent, rec.Kind)
}

func (rec *tcpEvent) image() Image {
	return Image{
		Exe:        joinPath(rec.Exe[:min(int(rec.ExeLen), len(rec.Exe))]),
		Cwd:        joinPath(rec.Cwd[:min(int(rec.CwdLen), len(rec.Cwd))]),
		Cmdline:    splitArgs(rec.Args[:min(int(rec.ArgsLen), len(rec.Args))]),
		CmdlineCut: int(rec.ArgsLen) >= len(rec.Args),
	}
}

// joinPath turns names from the leaf to the root, each with its NUL, into a path.
// The root itself has none: then "" cannot be told from it and stands for "not known".
func joinPath(names []byte) string {
	if len(names) == 0 {
		return ""
	}
	parts := strings.Split(strings.TrimSuffix(string(names), "\x00"), "\x00")
	slices.Reverse(parts)
	return "/" + strings.Join(parts, "/")
}

func splitArgs(b []byte) []string {
	b = bytes.TrimRight(b, "\x00")
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(b), "\x00")
}

// Addr turns an address of a record into one that people know: v4-mapped
// addresses become IPv4.
func Addr(b [16]byte) netip.Addr { return netip.AddrFrom16(b).Unmap() }

// Datagrams are how many an edge of UDP sent and received; 0 of others.
func (e *tcpEdge) Datagrams() (sent, received uint64) {
	if e.Key.Proto != ProtoUDP {
		return 0, 0
	}
	return e.Retransmits, e.RttUs
}

// Resent are segments that were sent again and the sum of smoothed round-trip times; 0 of UDP.
func (e *tcpEdge) Resent() (retransmits, rttMicros uint64) {
	if e.Key.Proto == ProtoUDP {
		return 0, 0
	}
	return e.Retransmits, e.RttUs
}

// Whose is the edge's owner: a sample.
func (e *tcpEdge) Whose() Owner {
	s := &e.Owner
	return Owner{
		Cgroup: e.Key.Cgroup, ExeIno: e.Key.ExeIno, ExeDev: e.Key.ExeDev,
		StartNs: s.StartNs, Tgid: s.Tgid, Uid: s.Uid, Gid: s.Gid, Kind: s.Kind, Comm: s.Comm,
	}
}

// CommString is the command name of the process, at most 15 bytes.
func CommString(o Owner) string {
	comm, _, _ := bytes.Cut(o.Comm[:], []byte{0})
	return string(comm)
}

// Clock turns the kernel's times into wall-clock times. It is taken when a time
// is turned, so that a clock that was stepped or a machine that was suspended
// shifts nothing by more than what passed since.
type Clock struct {
	Wall           time.Time
	MonoNs, BootNs uint64
}

// Mono is the wall-clock time of CLOCK_MONOTONIC nanoseconds; the zero time for 0.
func (c Clock) Mono(ns uint64) time.Time { return back(c.Wall, c.MonoNs, ns) }

// Boot is the wall-clock time of CLOCK_BOOTTIME nanoseconds; the zero time for 0.
func (c Clock) Boot(ns uint64) time.Time { return back(c.Wall, c.BootNs, ns) }

func back(wall time.Time, now, ns uint64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return wall.Add(-time.Duration(int64(now - ns))).UTC()
}
