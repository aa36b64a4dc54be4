package pcap

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// Errors of Each.
var (
	// ErrFormat: this is no capture file.
	ErrFormat = errors.New("not a capture file (pcap or pcapng)")
	// ErrDamaged: this is one, but from some frame on it cannot be read. Frames
	// before it have been given.
	ErrDamaged = errors.New("capture file is damaged or cut off")
)

// MaxFrame bounds a frame, in bytes: tcpdump's own bound.
const MaxFrame = 262144

// Frame is one frame of a capture.
type Frame struct {
	Number int       // from 1, over all frames
	Time   time.Time // UTC; zero where the file does not tell
	Link   Link
	Data   []byte // valid during the call only
	Length int    // on the wire; more than Data holds if the capture cut it
}

// source is what gopacket's readers have in common.
type source interface {
	ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

// Each calls fn with every frame of a capture, in order. It ends with the file, or
// with fn's first error, which it returns as it is; other errors are ErrFormat,
// ErrDamaged and those of r.
func Each(r io.Reader, fn func(Frame) error) error {
	src, link, err := open(r)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		data, info, err := read(src)
		switch {
		case errors.Is(err, io.EOF) && info.CaptureLength == 0:
			return nil
		case err != nil:
			return fmt.Errorf("read frame %d: %w", n, err)
		}
		f := Frame{Number: n, Time: info.Timestamp, Link: link, Data: data, Length: info.Length}
		if len(info.AncillaryData) > 0 { // pcapng tells by interface
			if t, ok := info.AncillaryData[0].(layers.LinkType); ok {
				f.Link = Link(t)
			}
		}
		if err := fn(f); err != nil {
			return err
		}
	}
}

// read is the one place that calls gopacket for a frame. A panic of its is
// ErrDamaged, as is every error but those of the file and its end.
func read(src source) (data []byte, info gopacket.CaptureInfo, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: reader panicked: %v", ErrDamaged, p)
		}
	}()
	data, info, err = src.ZeroCopyReadPacketData()
	if err != nil && (!errors.Is(err, io.EOF) || info.CaptureLength > 0) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return data, info, err
}

// open finds the format by its first bytes.
func open(r io.Reader) (src source, link Link, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: reader panicked: %v", ErrFormat, p)
		}
	}()
	in := bufio.NewReader(r)
	head, err := in.Peek(pcapHeader)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, fmt.Errorf("read capture: %w", err)
	}
	if bytes.HasPrefix(head, []byte("\x1f\x8b")) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, 0, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		in = bufio.NewReader(unzipped)
		head, _ = in.Peek(pcapHeader) // what is wrong will show again
	}
	switch {
	case len(head) < pcapHeader:
		return nil, 0, ErrFormat
	case binary.BigEndian.Uint32(head) == blockSection:
		return openNG(in)
	}
	return openClassic(in, head)
}

const pcapHeader = 24

func openClassic(in io.Reader, head []byte) (source, Link, error) {
	link := classicLink(head) // gopacket keeps but 8 bits of it
	r, err := pcapgo.NewReader(in)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	r.SetSnaplen(MaxFrame) // never by what the file says
	return r, link, nil
}

// classicLink is the link type in a header of either byte order.
func classicLink(head []byte) Link {
	if head[0] == 0xa1 {
		return Link(binary.BigEndian.Uint32(head[20:]))
	}
	return Link(binary.LittleEndian.Uint32(head[20:]))
}

func openNG(in io.Reader) (source, Link, error) {
	options := pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true}
	r, err := pcapgo.NewNgReader(&blocks{in: in}, options)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return r, 0, nil
}
