package pcap

import (
	"encoding/binary"
	"fmt"

	"cassini/agent/frames/wire"
)

// Link is what a frame begins with: the LINKTYPE of a capture file.
type Link uint16

// Links that are read.
const (
	Ethernet Link = 1
	Cooked   Link = 113 // tcpdump -i any
	Cooked2  Link = 276
)

// Lengths of the headers of cooked captures, and where the sender's address is.
const (
	cookedHeader  = 16
	cookedAddress = 6
	cooked2Header = 20
	cooked2At     = 12
	// cookedLLC stands in the place of an EtherType where LLC follows.
	cookedLLC = 4
)

func (l Link) String() string {
	switch l {
	case Ethernet:
		return "Ethernet"
	case Cooked, Cooked2:
		return "Linux cooked"
	}
	return fmt.Sprintf("link type %d", uint16(l))
}

// Known says whether Unwrap can look into frames of this link.
func (l Link) Known() bool { return l == Ethernet || l == Cooked || l == Cooked2 }

// Unwrap finds the LLDP or CDP message in a frame.
func (f Frame) Unwrap() (wire.Frame, bool) {
	switch {
	case f.Link == Ethernet:
		return wire.Unwrap(f.Data)
	case f.Link == Cooked && len(f.Data) >= cookedHeader:
		proto := binary.BigEndian.Uint16(f.Data[cookedHeader-2:])
		return cooked(proto, f.Data[cookedAddress:], f.Data[cookedHeader:])
	case f.Link == Cooked2 && len(f.Data) >= cooked2Header:
		return cooked(binary.BigEndian.Uint16(f.Data), f.Data[cooked2At:], f.Data[cooked2Header:])
	}
	return wire.Frame{}, false
}

// cooked looks into a frame without a destination, nor a length for LLC.
func cooked(proto uint16, source, body []byte) (wire.Frame, bool) {
	if proto == cookedLLC {
		proto = uint16(min(len(body), wire.MaxLength))
	}
	f, ok := wire.UnwrapBody(proto, body)
	copy(f.Source[:], source)
	return f, ok
}
