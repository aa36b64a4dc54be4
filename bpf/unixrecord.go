package bpf

import (
	"bytes"
	"fmt"
	"strings"
	"unsafe"
)

// The shapes that the kernel side of Unix-domain sockets shares with Go, from unix.h.
type (
	// UnixName stands for a name as it is meant where it is said: the same path in another
	// mount namespace is another one.
	UnixName = unixscanUnixName
	// UnixKey names one edge: a program here, a name there.
	UnixKey = unixscanUnixKey
	// UnixEdge holds an edge's counters. Of Attempts, Reached found somebody there, Failed
	// did not, and Unsure are for the reader to find out about.
	UnixEdge = unixscanUnixEdge
	// UnixSocket is a socket that serves, and one process that holds it.
	UnixSocket = unixscanUnixSocket
	// UnixClient is a socket that dialled, by its edge.
	UnixClient = unixscanUnixOpen
	// UnixCounters say what found no room, summed over all CPUs.
	UnixCounters = unixscanUnixCounters
)

// UnixEventKind says what a UnixEvent tells.
type UnixEventKind uint32

// Kinds of events.
const (
	UnixEventEdge   = UnixEventKind(unixscanUnixEventKindUNIX_EVENT_EDGE)   // first attempt; Key, PID, Owner and Image are set
	UnixEventUnsure = UnixEventKind(unixscanUnixEventKindUNIX_EVENT_UNSURE) // Key and PID are set
	UnixEventFull   = UnixEventKind(unixscanUnixEventKindUNIX_EVENT_FULL)   // an edge found no room
	UnixEventListen = UnixEventKind(unixscanUnixEventKindUNIX_EVENT_LISTEN) // somebody listens, or did
)

// UnixEvent is one record of the ring buffer.
type UnixEvent struct {
	Kind  UnixEventKind
	PID   int
	Key   UnixKey
	Owner Owner
	Image Image
}

func parseUnixEvent(raw []byte, e *UnixEvent) error {
	if len(raw) < int(unsafe.Sizeof(unixscanUnixEvent{})) {
		return fmt.Errorf("%w: %d bytes, want %d", ErrBadEvent, len(raw), unsafe.Sizeof(unixscanUnixEvent{}))
	}
	// As in parseEvent.
	rec := (*unixscanUnixEvent)(unsafe.Pointer(unsafe.SliceData(raw)))
	*e = UnixEvent{Kind: UnixEventKind(rec.Kind), PID: int(rec.Tgid)}
	switch e.Kind {
	case UnixEventFull, UnixEventListen:
		return nil
	case UnixEventUnsure:
		e.Key = rec.Key
		return nil
	case UnixEventEdge:
		image := (*tcpEvent)(unsafe.Pointer(&rec.Image)) // both are struct event
		e.Key, e.Owner, e.Image = rec.Key, image.Listener.Owner, image.image()
		return nil
	}
	return fmt.Errorf("%w: unknown kind %d", ErrBadEvent, rec.Kind)
}

// UnixText shows a name as people know it: a path, or an abstract name behind "@" as ss(8)
// has it, without the zeros at its end. Bytes that cannot be printed are "?".
func UnixText(text []byte) string {
	if len(text) > 0 && text[0] == 0 {
		text = append([]byte("@"), bytes.TrimRight(text[1:], "\x00")...)
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return '?'
		}
		return r
	}, string(text))
}

// Name is the name of an edge as it was dialled.
func unixName(text [112]uint8, size uint16) string { return UnixText(text[:min(int(size), len(text))]) }

// Dialled is the name that the edge is about, as the client said it.
func Dialled(e *UnixEdge) string { return unixName(e.Text, e.Len) }

// Bound is the name that the socket was bound to, as its process said it.
func Bound(s *UnixSocket) string { return unixName(s.Text, s.Len) }
