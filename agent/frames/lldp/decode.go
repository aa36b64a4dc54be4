package lldp

import (
	"encoding/binary"
	"errors"
	"fmt"

	"cassini/agent/frames/wire"
	"cassini/model"
)

// Errors of Decode. All mean that the frame says nothing to be relied on.
var (
	// ErrOrder: chassis id, port id and TTL do not stand first, in this order, and
	// once each.
	ErrOrder = errors.New("mandatory TLV missing, repeated or out of order")
	// ErrMandatory: one of these is malformed.
	ErrMandatory = errors.New("malformed mandatory TLV")
)

// Types of TLVs.
const (
	typeEnd = iota
	typeChassis
	typePort
	typeTTL
	typePortDescr
	typeSystemName
	typeSystemDescr
	typeCapabilities
	typeManagement
	typeOrganization = 127
)

// maxTLVs is far more than an Ethernet frame has room for with any use.
const maxTLVs = 2048

// tlv is one type-length-value.
type tlv struct {
	kind  uint8
	value []byte
}

// decoder is the work on one frame.
type decoder struct {
	model.Discovery
	seen map[string]bool // TLVs that may come once
}

// Decode reads an LLDPDU: what follows EtherType 0x88cc. SourceMAC and FrameVLAN
// are left to the caller. A wrong optional TLV is left out and noted in Problems;
// errors are ErrOrder and ErrMandatory.
func Decode(payload []byte) (model.Discovery, error) {
	d := decoder{seen: map[string]bool{}}
	d.Protocol = model.LLDP
	rest, err := d.mandatory(payload)
	if err != nil {
		return model.Discovery{}, err
	}
	for n := 0; len(rest) > 0; n++ {
		t, after, ok := next(rest)
		if !ok {
			d.problem("TLV of type %d runs past the end of the frame", rest[0]>>1)
			break
		}
		if t.kind == typeEnd {
			if len(t.value) > 0 {
				d.problem("end of LLDPDU: %d bytes, want none", len(t.value))
			}
			break
		}
		if n == maxTLVs {
			d.problem("more TLVs than are read")
			break
		}
		if t.kind <= typeTTL {
			return model.Discovery{}, fmt.Errorf("read LLDP frame: TLV of type %d after the third place: %w", t.kind, ErrOrder)
		}
		d.optional(t)
		rest = after
	}
	return d.Discovery, nil
}

// next splits the first TLV off.
func next(b []byte) (t tlv, rest []byte, ok bool) {
	if len(b) < 2 {
		return tlv{}, nil, false
	}
	head := binary.BigEndian.Uint16(b)
	length := int(head & 0x1ff)
	if b = b[2:]; length > len(b) {
		return tlv{}, nil, false
	}
	return tlv{uint8(head >> 9), b[:length]}, b[length:], true
}

// mandatory reads the first three TLVs.
func (d *decoder) mandatory(b []byte) (rest []byte, err error) {
	readers := [...]func([]byte) error{d.chassis, d.port, d.ttl}
	for i, read := range readers {
		want := uint8(i + 1)
		t, after, ok := next(b)
		if !ok || t.kind != want {
			return nil, fmt.Errorf("read LLDP frame: no %s TLV in place %d: %w", mandatoryNames[i], want, ErrOrder)
		}
		if err := read(t.value); err != nil {
			return nil, fmt.Errorf("read LLDP frame: %s: %w", mandatoryNames[i], err)
		}
		b = after
	}
	return b, nil
}

var mandatoryNames = [...]string{"chassis id", "port id", "TTL"}

func (d *decoder) optional(t tlv) {
	switch t.kind {
	case typePortDescr:
		d.text("port description", &d.PortDescr, t.value)
	case typeSystemName:
		d.text("system name", &d.SystemName, t.value)
	case typeSystemDescr:
		d.text("system description", &d.SystemDescr, t.value)
	case typeCapabilities:
		d.capabilities(t.value)
	case typeManagement:
		d.management(t.value)
	case typeOrganization:
		d.organization(t.value)
	default:
		wire.Unknown(&d.Discovery, raw(t.kind, nil, 0, t.value))
	}
}

func (d *decoder) problem(format string, args ...any) {
	wire.Problem(&d.Discovery, format, args...)
}

// once says whether a TLV is the first of its name; a further one is a problem.
func (d *decoder) once(name string) bool {
	if d.seen[name] {
		d.problem("%s: repeated", name)
		return false
	}
	d.seen[name] = true
	return true
}

// fixed says whether a TLV that may come once is the first, and long enough.
func (d *decoder) fixed(name string, v []byte, least int) bool {
	return d.enough(name, v, least) && d.once(name)
}

func (d *decoder) enough(name string, v []byte, least int) bool {
	if len(v) < least {
		d.problem("%s: %d bytes, want %d", name, len(v), least)
		return false
	}
	return true
}

func (d *decoder) text(name string, to *string, v []byte) {
	if d.once(name) {
		*to = wire.Text(v)
	}
}
