package pcap_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"cassini/agent/frames/pcap"
	"cassini/agent/frames/wire/frametest"
)

var at = time.Date(2026, 11, 20, 12, 0, 0, 123456000, time.UTC)

func frames() []frametest.Named {
	return []frametest.Named{{Name: "LLDP", Data: frametest.LLDP()}, {Name: "other", Data: make([]byte, 60)}, {Name: "CDP", Data: frametest.CDP(2)}}
}

// next writes frames as pcapng.
func nextGeneration(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := pcapgo.NewNgWriter(&out, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames() {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(f.Data), Length: len(f.Data)}, f.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// protocols lists what is found in a capture, a letter a frame.
func protocols(r io.Reader) (found string, err error) {
	err = pcap.Each(r, func(f pcap.Frame) error {
		w, _ := f.Unwrap()
		found += string("-LC"[w.Proto])
		return nil
	})
	return found, err
}

func TestFormats(t *testing.T) {
	classic, next := capture(t, frames()), nextGeneration(t)
	for name, file := range map[string][]byte{
		"pcap": classic, "pcapng": next, "pcap.gz": zipped(t, classic), "pcapng.gz": zipped(t, next),
		"big endian": bigEndian(frames()), "two sections": slices.Concat(next, next),
	} {
		want := "L-C"
		if name == "two sections" {
			want += want
		}
		if got, err := protocols(iotest.OneByteReader(bytes.NewReader(file))); got != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// bigEndian is a capture in nanoseconds of a machine of that kind.
func bigEndian(frames []frametest.Named) []byte {
	out := frametest.Hex("a1b23c4d 0002 0004 00000000 00000000 00000010 00000001") // a snapshot length that is too short
	for _, f := range frames {
		out = append(out, frametest.Hex("00000001 00000005")...)
		out = binary.BigEndian.AppendUint32(out, uint32(len(f.Data)))
		out = binary.BigEndian.AppendUint32(out, uint32(len(f.Data)))
		out = append(out, f.Data...)
	}
	return out
}

func TestFrame(t *testing.T) {
	var got []pcap.Frame
	if err := pcap.Each(bytes.NewReader(nextGeneration(t)), func(f pcap.Frame) error {
		f.Data = slices.Clone(f.Data)
		got = append(got, f)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	f := got[2]
	if f.Number != 3 || !f.Time.Equal(at) || f.Link != pcap.Ethernet || f.Length != len(frametest.CDP(2)) || !bytes.Equal(f.Data, frametest.CDP(2)) {
		t.Errorf("%+v", f)
	}
}

func TestCooked(t *testing.T) {
	lldp, cdp := frametest.LLDP(), frametest.CDP(2)
	head := frametest.Hex("0002 0001 0006 02005e005301 0000")
	head2 := frametest.Hex("0000 00000003 0001 02 06 02005e005301 0000")
	for name, f := range map[string]pcap.Frame{
		"LLDP":    {Link: pcap.Cooked, Data: slices.Concat(head, frametest.Hex("88cc"), lldp[14:])},
		"CDP":     {Link: pcap.Cooked, Data: slices.Concat(head, frametest.Hex("0004"), cdp[14:])},
		"LLDP, 2": {Link: pcap.Cooked2, Data: slices.Concat(frametest.Hex("88cc"), head2, lldp[14:])},
		"CDP, 2":  {Link: pcap.Cooked2, Data: slices.Concat(frametest.Hex("0004"), head2, cdp[14:])},
	} {
		d, ok, err := f.Discovery()
		if !ok || err != nil || d.SourceMAC != "02:00:5e:00:53:01" || !strings.HasPrefix(name, strings.ToUpper(d.Protocol)) || len(d.Problems) != 0 && d.Protocol == "lldp" {
			t.Errorf("%s: %v %v %+v", name, ok, err, d)
		}
	}
	if _, ok := (pcap.Frame{Link: 105, Data: lldp}).Unwrap(); ok || pcap.Link(105).Known() {
		t.Error("Wi-Fi is not known")
	}
}

func TestNotACapture(t *testing.T) {
	for _, text := range []string{"", "x", "# Read me, please; this is no capture of anything", "\x1f\x8bnonsense", "\x0a\x0d\x0d\x0a", "\xd4\xc3\xb2\xa1 short"} {
		if _, err := protocols(strings.NewReader(text)); !errors.Is(err, pcap.ErrFormat) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDamaged(t *testing.T) {
	classic, next := capture(t, frames()), nextGeneration(t)
	huge := slices.Clone(classic)
	binary.LittleEndian.PutUint32(huge[24+8:], 1<<31)
	hugeNG := slices.Clone(next)
	binary.LittleEndian.PutUint32(hugeNG[bytes.Index(hugeNG, frametest.LLDP())-8:], 1<<31)
	for name, c := range map[string]struct {
		file  []byte
		found string
	}{
		"pcap cut in a frame":   {classic[:len(classic)-1], "L-"},
		"pcap cut in a head":    {classic[:24+16+len(frametest.LLDP())+3], "L"},
		"pcap cut after a head": {classic[:24+16], ""},
		"pcap, huge frame":      {huge, ""},
		"pcapng cut":            {next[:len(next)-1], "L-"},
		"pcapng, huge frame":    {hugeNG, ""},
	} {
		if got, err := protocols(bytes.NewReader(c.file)); got != c.found || !errors.Is(err, pcap.ErrDamaged) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestErrorsPassThrough(t *testing.T) {
	stop, broken := errors.New("stop"), errors.New("disk broken")
	if err := pcap.Each(bytes.NewReader(capture(t, frames())), func(pcap.Frame) error { return stop }); err != stop { //nolint:errorlint // as it is
		t.Errorf("%v", err)
	}
	if _, err := protocols(io.MultiReader(bytes.NewReader(capture(t, frames())), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if _, err := protocols(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func FuzzEach(f *testing.F) {
	f.Add(capture(f, frames()))
	f.Add(nextGeneration(f))
	f.Add(zipped(f, capture(f, frames())))
	f.Add(bigEndian(frames()))
	for _, name := range frametest.Captures(f) {
		if b, err := os.ReadFile(name); err == nil && len(b) < 1<<16 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		n := 0
		err := pcap.Each(bytes.NewReader(file), func(fr pcap.Frame) error {
			n++
			if fr.Number != n || len(fr.Data) > pcap.MaxFrame {
				t.Errorf("frame %d of %d bytes in place %d", fr.Number, len(fr.Data), n)
			}
			if d, ok, err := fr.Discovery(); ok && err == nil {
				frametest.Sound(t, d, len(fr.Data))
			}
			return nil
		})
		if err != nil && !errors.Is(err, pcap.ErrFormat) && !errors.Is(err, pcap.ErrDamaged) {
			t.Error(err)
		}
	})
}
