package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"cassini/model"
)

// writer appends values; the first thing that cannot be written stays in err.
type writer struct {
	b   []byte
	err error
}

func (w *writer) fail(what string, err error) {
	if w.err == nil {
		w.err = fmt.Errorf("write %s: %w", what, err)
	}
}

func (w *writer) u8(v uint8)   { w.b = append(w.b, v) }
func (w *writer) u32(v uint32) { w.b = binary.LittleEndian.AppendUint32(w.b, v) }
func (w *writer) u64(v uint64) { w.b = binary.LittleEndian.AppendUint64(w.b, v) }

func (w *writer) text(what, s string, limit int) {
	if len(s) > limit {
		w.fail(what, ErrTooLong)
		return
	}
	w.u8(uint8(len(s)))
	w.b = append(w.b, s...)
}

// addr writes the length of the address, its bytes and the port; zones of IPv6
// addresses mean nothing to others and are not written.
func (w *writer) addr(a netip.AddrPort) {
	raw := a.Addr().WithZone("").AsSlice()
	w.u8(uint8(len(raw)))
	w.b = append(w.b, raw...)
	w.b = binary.LittleEndian.AppendUint16(w.b, a.Port())
}

func (w *writer) member(m model.RingMember) {
	w.text("host", m.Host, MaxHost)
	w.addr(m.Addr)
	w.u64(uint64(m.Incarnation))
	w.text("zone", m.Zone, MaxZone)
}

func (w *writer) sight(s model.Sight) {
	i := slices.Index(sights[:], s)
	if i < 1 {
		w.fail("sight", ErrMalformed)
		return
	}
	w.u8(uint8(i))
}

// reader takes values off the front; after the first error it gives zero values.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n > len(r.b) {
		r.fail(ErrTruncated)
		return make([]byte, min(n, 32))
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) u8() uint8   { return r.take(1)[0] }
func (r *reader) u16() uint16 { return binary.LittleEndian.Uint16(r.take(2)) }
func (r *reader) u32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }

func (r *reader) text(limit int) string {
	n := int(r.u8())
	if n > limit {
		r.fail(ErrMalformed)
	}
	if r.err != nil {
		return ""
	}
	s := r.take(n)
	if r.err != nil {
		return ""
	}
	return string(s)
}

func (r *reader) addr() netip.AddrPort {
	n := int(r.u8())
	if n != 0 && n != 4 && n != 16 {
		r.fail(ErrMalformed)
		return netip.AddrPort{}
	}
	addr, _ := netip.AddrFromSlice(r.take(n))
	return netip.AddrPortFrom(addr, r.u16())
}

func (r *reader) member() model.RingMember {
	return model.RingMember{Host: r.text(MaxHost), Addr: r.addr(), Incarnation: model.Incarnation(r.u64()), Zone: r.text(MaxZone)}
}

func (r *reader) sight() model.Sight {
	i := int(r.u8())
	if i < 1 || i >= len(sights) {
		r.fail(ErrMalformed)
		return ""
	}
	return sights[i]
}

// end is the error so far, or that bytes are left.
func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		return fmt.Errorf("%d bytes too many: %w", len(r.b), ErrMalformed)
	}
	return r.err
}
