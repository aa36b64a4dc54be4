package wire

import (
	"encoding/binary"
	"fmt"

	"cassini/model"
)

// Sizes in bytes.
const (
	HeaderSize  = 40   // of every datagram, and all of a heartbeat
	MaxDatagram = 1232 // fits IPv6's least MTU of 1,280 (RFC 8200, 5)
	MaxHost     = 64   // of a host's or ring's name
	MaxZone     = 32
	tagged      = 32 // what the tag covers
)

// Version is the first byte of every datagram.
const Version = 0xc1

// NonceBits is how many bits of a nonce may be set.
const NonceBits = 48

// Flags of a header.
type Flags uint8

// FlagStarved says that the sender knows that it gets too little CPU.
const FlagStarved Flags = 1

// Set is the number of a key set at the receiver: a link of a ring in one direction,
// or all of a ring (see LinkSet, RingSet).
type Set uint32

// Header is what every datagram begins with.
type Header struct {
	Type  Type
	Key   uint8 // of the set
	Flags Flags
	Set   Set
	// Nonce counts the sender's datagrams, never to come again in all its lives.
	Nonce       uint64
	Incarnation model.Incarnation // of the sender
	// Progress counts the rounds of the sender's main loop: what stands still is hung.
	Progress uint64
}

// AppendHeader appends the header and its tag.
func AppendHeader(to []byte, h Header, key TagKey) []byte {
	at := len(to)
	to = append(to, Version, byte(h.Type), h.Key, byte(h.Flags))
	to = binary.LittleEndian.AppendUint32(to, uint32(h.Set))
	to = binary.LittleEndian.AppendUint64(to, h.Nonce)
	to = binary.LittleEndian.AppendUint64(to, uint64(h.Incarnation))
	to = binary.LittleEndian.AppendUint64(to, h.Progress)
	return binary.LittleEndian.AppendUint64(to, key.Tag(to[at:]))
}

// ParseHeader reads the header without looking at its tag. Errors are ErrTruncated,
// ErrVersion and ErrMalformed.
func ParseHeader(b []byte) (Header, error) {
	switch {
	case len(b) < HeaderSize:
		return Header{}, fmt.Errorf("read datagram of %d bytes: %w", len(b), ErrTruncated)
	case b[0] != Version:
		return Header{}, fmt.Errorf("read datagram of version %#x: %w", b[0], ErrVersion)
	}
	h := Header{
		Type: Type(b[1]), Key: b[2], Flags: Flags(b[3]),
		Set:         Set(binary.LittleEndian.Uint32(b[4:])),
		Nonce:       binary.LittleEndian.Uint64(b[8:]),
		Incarnation: model.Incarnation(binary.LittleEndian.Uint64(b[16:])),
		Progress:    binary.LittleEndian.Uint64(b[24:]),
	}
	if h.Nonce>>NonceBits != 0 || h.Type == 0 || h.Type > lastType || h.Type.HeaderOnly() && len(b) != HeaderSize {
		return Header{}, fmt.Errorf("read datagram of type %d and %d bytes: %w", h.Type, len(b), ErrMalformed)
	}
	return h, nil
}

// HeaderOnly says that datagrams of the type have nothing behind the header.
func (t Type) HeaderOnly() bool { return t == Heartbeat || t == Ask || t == Reflected }

// CheckTag says with ErrForged that the header is not from somebody who has the key.
func CheckTag(b []byte, key TagKey) error {
	if len(b) < HeaderSize {
		return fmt.Errorf("check tag: %w", ErrTruncated)
	}
	if key.Tag(b[:tagged]) != binary.LittleEndian.Uint64(b[tagged:]) {
		return fmt.Errorf("check tag: %w", ErrForged)
	}
	return nil
}
