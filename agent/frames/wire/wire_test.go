package wire_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"cassini/agent/frames/wire"
	"cassini/agent/frames/wire/frametest"
	"cassini/model"
)

func TestUnwrap(t *testing.T) {
	lldp, cdp := frametest.LLDP(), frametest.CDP(2)
	snap := append(frametest.Hex("aaaa03 000000 88cc"), lldp[14:]...)
	for name, want := range map[string]struct {
		frame   []byte
		proto   wire.Proto
		vlan    uint16
		tags    uint8
		payload []byte
	}{
		"LLDP":              {lldp, wire.LLDP, 0, 0, lldp[14:]},
		"LLDP, tagged":      {frametest.Tagged(lldp, "8100 e064"), wire.LLDP, 0x64, 1, lldp[14:]},
		"LLDP, priority":    {frametest.Tagged(lldp, "8100 e000"), wire.LLDP, 0, 1, lldp[14:]},
		"LLDP, outer tag":   {frametest.Tagged(lldp, "88a8 00c8", "8100 0064"), wire.LLDP, 0xc8, 2, lldp[14:]},
		"LLDP, four tags":   {frametest.Tagged(lldp, "9100 0001", "88a80002", "81000003", "81000004"), wire.LLDP, 1, 4, lldp[14:]},
		"LLDP, five tags":   {frametest.Tagged(lldp, "81000001", "81000002", "81000003", "81000004", "81000005"), 0, 0, 0, nil},
		"LLDP in SNAP":      {slices.Concat(lldp[:12], []byte{0, byte(len(snap))}, snap), wire.LLDP, 0, 0, lldp[14:]},
		"CDP":               {cdp, wire.CDP, 0, 0, cdp[22:]},
		"CDP, padded":       {append(slices.Clone(cdp), make([]byte, 18)...), wire.CDP, 0, 0, cdp[22:]},
		"CDP, tagged":       {frametest.Tagged(cdp, "8100 0001"), wire.CDP, 1, 1, cdp[22:]},
		"other SNAP":        {slices.Concat(cdp[:20], []byte{0x20, 0x04}, cdp[22:]), 0, 0, 0, nil},
		"other LLC":         {slices.Concat(cdp[:14], []byte{0x42, 0x42}, cdp[16:]), 0, 0, 0, nil},
		"ARP":               {append(make([]byte, 12), 0x08, 0x06, 0, 1), 0, 0, 0, nil},
		"length of no kind": {append(make([]byte, 12), 0x05, 0xdd, 0xaa, 0xaa, 3, 0, 0, 0xc, 0x20, 0), 0, 0, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f, ok := wire.Unwrap(want.frame)
			if ok != (want.proto != wire.None) || f.Proto != want.proto {
				t.Fatalf("protocol %v, %v, want %v", f.Proto, ok, want.proto)
			}
			if ok && (f.VLAN != want.vlan || f.Tags != want.tags || !bytes.Equal(f.Payload, want.payload) || !bytes.Equal(f.Source[:], want.frame[6:12])) {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestUnwrapShort(t *testing.T) {
	cdp := frametest.CDP(2)
	f, ok := wire.Unwrap(cdp[:len(cdp)-3])
	if !ok || !f.Short || len(f.Payload) != len(cdp)-3-22 {
		t.Errorf("a frame that was cut off: %v %+v", ok, f)
	}
}

func TestUnwrapAllocatesNothing(t *testing.T) {
	frames := [][]byte{frametest.Tagged(frametest.LLDP(), "81000001"), frametest.CDP(2), make([]byte, 60)}
	if n := testing.AllocsPerRun(100, func() {
		for _, f := range frames {
			wire.Unwrap(f)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"plain":                  "plain",
		"naïve":                  "naïve",
		"ends\x00\x00":           "ends",
		"ends\r\n":               "ends",
		"two\r\nlines":           "two lines",
		"tab\tand\u2028more":     "tab and more",
		"bell\x07 esc\x1b[31m":   "bell� esc�[31m",
		"nul\x00within":          "nul�within",
		"\xff\xc2":               "��",
		"c1 \u009b":              "c1 �",
		"half a rune \xe2\x82":   "half a rune ��",
		strings.Repeat("a", 3e3): strings.Repeat("a", wire.MaxText),
	} {
		if got := wire.Text([]byte(in)); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestID(t *testing.T) {
	for in, want := range map[string]string{
		"Gi1/0/1": "Gi1/0/1", "Gi1\x00": "Gi1", "": "", "\x00\x01": "00:01", "\xff": "ff", "a\nb": "61:0a:62", "\x00": "00",
	} {
		if got := wire.ID([]byte(in)); got != want {
			t.Errorf("ID(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	var d model.Discovery
	for i := range 1000 {
		wire.Problem(&d, "problem %d", i)
		wire.Unknown(&d, model.RawTLV{Type: uint16(i)})
	}
	if len(d.Problems) != wire.MaxProblems || len(d.Unknown) != wire.MaxUnknown {
		t.Errorf("kept %d problems and %d unknown TLVs", len(d.Problems), len(d.Unknown))
	}
}

func FuzzUnwrap(f *testing.F) {
	for _, frame := range slices.Concat(frametest.Full(), frametest.CDPFull(), frametest.FDPFull(), frametest.Hostile()) {
		f.Add(frame.Data)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		w, ok := wire.Unwrap(frame)
		if ok != (w.Proto != wire.None) || len(w.Payload) > len(frame) {
			t.Errorf("%v %+v", ok, w)
		}
		if ok && !bytes.Contains(frame, w.Payload) {
			t.Error("the payload is no part of the frame")
		}
	})
}

func FuzzText(f *testing.F) {
	f.Add([]byte("a\r\n\x00\xff\u2028"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, text := range []string{wire.Text(b), wire.ID(b)} {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || len(text) > wire.MaxText {
				t.Errorf("%q of %d bytes", text, len(text))
			}
		}
	})
}
