package pcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Types of pcapng blocks that gopacket is to see.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 2
	blockSimple    = 3
	blockEnhanced  = 6
)

const (
	byteOrderMagic = 0x1a2b3c4d
	maxBlock       = 1 << 20
	maxInterfaces  = 4096
)

var errBlock = errors.New("malformed pcapng block")

// blocks passes on the pcapng blocks that gopacket can read safely: it believes
// the lengths in them, for its allocations too. Those that are not about frames
// are left out, which its reader does not need; a wrong one is an error.
type blocks struct {
	in         io.Reader
	order      binary.ByteOrder
	interfaces int
	buf        bytes.Buffer // the block at hand
	out        []byte       // what is yet to be passed on of it
}

// Read passes on what is left of a block, or of the next one.
func (b *blocks) Read(p []byte) (int, error) {
	for len(b.out) == 0 {
		if err := b.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.out)
	b.out = b.out[n:]
	return n, nil
}

// next reads a block; io.EOF stands for the end between two.
func (b *blocks) next() error {
	b.buf.Reset()
	if n, err := io.CopyN(&b.buf, b.in, 12); err != nil {
		if n > 0 && errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	kind, length, err := b.head(b.buf.Bytes())
	if err != nil {
		return err
	}
	if _, err := io.CopyN(&b.buf, b.in, int64(length-12)); err != nil {
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	return b.admit(kind, b.buf.Bytes())
}

func (b *blocks) head(head []byte) (kind, length uint32, err error) {
	if binary.BigEndian.Uint32(head) == blockSection {
		if b.order = orderOf(head[8:]); b.order == nil {
			return 0, 0, fmt.Errorf("%w: no byte order", errBlock)
		}
		b.interfaces = 0
	}
	if b.order == nil {
		return 0, 0, fmt.Errorf("%w: no section header", errBlock)
	}
	kind, length = b.order.Uint32(head), b.order.Uint32(head[4:])
	if length < 12 || length%4 != 0 || length > maxBlock {
		return 0, 0, fmt.Errorf("%w: length %d", errBlock, length)
	}
	return kind, length, nil
}

func orderOf(b []byte) binary.ByteOrder {
	switch {
	case binary.BigEndian.Uint32(b) == byteOrderMagic:
		return binary.BigEndian
	case binary.LittleEndian.Uint32(b) == byteOrderMagic:
		return binary.LittleEndian
	}
	return nil
}

// admit lets a block through if what it says of its parts holds.
func (b *blocks) admit(kind uint32, block []byte) error {
	var ok bool
	body := block[8 : len(block)-4]
	switch kind {
	case blockSection:
		ok = len(body) >= 16 && b.optionsFit(body[16:])
	case blockInterface:
		ok = len(body) >= 8 && b.optionsFit(body[8:]) && b.interfaces < maxInterfaces
		if ok && b.order.Uint16(body) > 0xff {
			b.order.PutUint16(body, 0) // gopacket would keep its lower half
		}
		b.interfaces++
	case blockEnhanced, blockPacket:
		ok = len(body) >= 20 && b.order.Uint32(body[12:]) <= MaxFrame && int(b.order.Uint32(body[12:])) <= len(body)-20
	case blockSimple:
		ok = len(body) >= 4
		if ok && int(b.order.Uint32(body)) > len(body)-4 { // cut by the capture
			b.order.PutUint32(body, uint32(len(body)-4))
		}
	default:
		return nil
	}
	if !ok {
		return fmt.Errorf("%w of type %d", errBlock, kind)
	}
	b.out = block
	return nil
}

// optionsFit says that options end within their block. One that is too short for
// its meaning makes gopacket panic, which read and open turn into an error.
func (b *blocks) optionsFit(v []byte) bool {
	for len(v) > 0 {
		if len(v) < 4 {
			return false
		}
		code, length := b.order.Uint16(v), int(b.order.Uint16(v[2:]))
		padded := (length + 3) &^ 3
		if v = v[4:]; padded > len(v) {
			return false
		}
		if code == 0 {
			return length == 0
		}
		v = v[padded:]
	}
	return true
}
