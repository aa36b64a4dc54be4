package cdp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"cassini/agent/frames/wire"
	"cassini/model"
)

// Errors of Decode. All mean that the frame says nothing to be relied on.
var (
	// ErrShort: there is no room for the header.
	ErrShort = errors.New("shorter than a header")
	// ErrNobody: no device id says who sent it.
	ErrNobody = errors.New("no device id")
)

const (
	headerLength = 4
	tlvLength    = 4 // of a TLV's head, which its length counts too
	kind         = "cdp"
	maxTLVs      = 2048
	newest       = 2
)

// Types of TLVs that are read.
const (
	typeDevice          = 0x01
	typeAddresses       = 0x02
	typePort            = 0x03
	typeCapabilities    = 0x04
	typeSoftware        = 0x05
	typePlatform        = 0x06
	typeHello           = 0x08
	typeVTPDomain       = 0x09
	typeNativeVLAN      = 0x0a
	typeDuplex          = 0x0b
	typeVoiceVLAN       = 0x0e
	typeConsumption     = 0x10
	typeMTU             = 0x11
	typeSystemName      = 0x14
	typeSystemObject    = 0x15
	typeManagement      = 0x16
	typeLocation        = 0x17
	typePowerRequested  = 0x19
	typePowerAvailable  = 0x1a
	firstExtendedFamily = 0x10 // high byte of types for radio links
)

// decoder is the work on one frame.
type decoder struct {
	model.Discovery
	seen    map[uint16]bool
	foundry bool
}

// Decode reads a CDP message: what follows the LLC/SNAP header, without padding.
// SourceMAC and FrameVLAN are left to the caller. A wrong TLV is left out and
// noted in Problems, as is a wrong checksum; errors are ErrShort and ErrNobody.
func Decode(payload []byte) (model.Discovery, error) {
	return decode(payload, decoder{Discovery: model.Discovery{Protocol: model.CDP}})
}

// DecodeFDP reads a message of the Foundry Discovery Protocol, which took CDP's form
// and its first six TLVs, but writes capabilities as text. What Foundry added stays
// raw. No document of it is public: this is what lldpd sends and Wireshark reads.
func DecodeFDP(payload []byte) (model.Discovery, error) {
	return decode(payload, decoder{Discovery: model.Discovery{Protocol: model.FDP}, foundry: true})
}

func decode(payload []byte, d decoder) (model.Discovery, error) {
	name := strings.ToUpper(d.Protocol)
	if len(payload) < headerLength {
		return model.Discovery{}, fmt.Errorf("read %s frame: %d bytes: %w", name, len(payload), ErrShort)
	}
	d.seen = map[uint16]bool{}
	d.Version, d.TTL = int(payload[0]), uint16(payload[1])
	if d.Version < 1 || d.Version > newest {
		d.problem("version %d is not known", d.Version)
	}
	if sum(payload) != 0 {
		d.problem("checksum is wrong")
	}
	d.walk(payload[headerLength:])
	if d.Chassis.ID == "" {
		return model.Discovery{}, fmt.Errorf("read %s frame: %w", name, ErrNobody)
	}
	if !d.seen[typePort] {
		d.problem("no port id")
	}
	return d.Discovery, nil
}

// walk reads the TLVs, as far as they can be told apart.
func (d *decoder) walk(b []byte) {
	for n := 0; len(b) > 0; n++ {
		if len(b) < tlvLength {
			d.problem("%d bytes after the last TLV", len(b))
			return
		}
		t, length := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if t == typePort && !d.foundry {
			length = portLength(b, length)
		}
		switch {
		case length < tlvLength:
			d.problem("TLV of type %d has length %d", t, length)
			return
		case length > len(b):
			d.problem("TLV of type %d runs past the end of the frame", t)
			return
		case n == maxTLVs:
			d.problem("more TLVs than are read")
			return
		}
		d.tlv(t, b[tlvLength:length])
		b = b[length:]
	}
}

// portLength mends a port id whose length leaves three of its bytes out, as some
// senders have it: what follows a TLV begins with the high byte of a small type.
func portLength(b []byte, length int) int {
	const leftOut = 3
	if length >= tlvLength && length+leftOut <= len(b) && b[length] != 0 && b[length] != firstExtendedFamily {
		return length + leftOut
	}
	return length
}

func (d *decoder) problem(format string, args ...any) {
	wire.Problem(&d.Discovery, format, args...)
}
