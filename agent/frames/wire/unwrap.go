package wire

import "encoding/binary"

// Proto is the discovery protocol that a frame bears.
type Proto uint8

// Protocols.
const (
	None Proto = iota // something else
	LLDP              // IEEE 802.1AB
	CDP               // Cisco Discovery Protocol
	FDP               // Foundry Discovery Protocol
)

// Frame is what stands around and in a discovery frame.
type Frame struct {
	Proto Proto
	// Tags is how many VLAN tags there were; VLAN is the outermost one's id, 0 for
	// none and for a priority tag.
	Tags   uint8
	VLAN   uint16
	Dest   [6]byte
	Source [6]byte
	// Payload is the protocol's own message, a part of the frame that was given. It
	// is without padding where the frame tells its length.
	Payload []byte
	// Short says that the frame tells of more than there is: it was cut off.
	Short bool
}

// MaxLength is the greatest length that may stand in the place of an EtherType.
const MaxLength = 1500

const (
	maxTags    = 4
	addresses  = 12 // destination and source
	llcSNAP    = 8
	etherLLDP  = 0x88cc
	etherVLAN  = 0x8100
	etherQinQ  = 0x88a8
	etherQinQ0 = 0x9100 // before 802.1ad
	pidCDP     = 0x2000
	ouiCisco   = 0x00000c
	ouiFoundry = 0x00e052
)

// Unwrap finds an LLDP, CDP or FDP message in an Ethernet frame, under up to four
// VLAN tags. Any destination is accepted: filtering those is the socket's work.
// ok is false for every other frame. It does not allocate.
func Unwrap(frame []byte) (f Frame, ok bool) {
	if len(frame) < addresses+2 {
		return Frame{}, false
	}
	copy(f.Dest[:], frame)
	copy(f.Source[:], frame[6:])
	rest := frame[addresses:]
	for isTag(rest) {
		if f.Tags == maxTags || len(rest) < 6 {
			return Frame{}, false
		}
		if f.Tags == 0 {
			f.VLAN = binary.BigEndian.Uint16(rest[2:]) & 0xfff
		}
		f.Tags++
		rest = rest[4:]
	}
	ok = f.body(binary.BigEndian.Uint16(rest), rest[2:])
	return f, ok
}

// UnwrapBody is Unwrap for captures that bear no Ethernet header ("cooked"):
// etherType as in an Ethernet header, body what follows it.
func UnwrapBody(etherType uint16, body []byte) (f Frame, ok bool) {
	ok = f.body(etherType, body)
	return f, ok
}

func isTag(b []byte) bool {
	if len(b) < 2 {
		return false
	}
	t := binary.BigEndian.Uint16(b)
	return t == etherVLAN || t == etherQinQ || t == etherQinQ0
}

// body looks behind the EtherType, or the length in its place.
func (f *Frame) body(kind uint16, body []byte) bool {
	switch {
	case kind == etherLLDP:
		f.Proto, f.Payload = LLDP, body
		return true
	case kind > MaxLength:
		return false
	}
	f.Short = int(kind) > len(body)
	return f.snap(body[:min(int(kind), len(body))])
}

// snap looks behind an LLC header: CDP and FDP are there, and LLDP on media that know no
// EtherType.
func (f *Frame) snap(b []byte) bool {
	if len(b) < llcSNAP || b[0] != 0xaa || b[1] != 0xaa || b[2] != 3 {
		return false
	}
	oui := uint32(b[3])<<16 | uint32(b[4])<<8 | uint32(b[5])
	switch pid := binary.BigEndian.Uint16(b[6:]); {
	case oui == ouiCisco && pid == pidCDP:
		f.Proto = CDP
	case oui == ouiFoundry && pid == pidCDP:
		f.Proto = FDP
	case oui == 0 && pid == etherLLDP:
		f.Proto = LLDP
	default:
		return false
	}
	f.Payload = b[llcSNAP:]
	return true
}
