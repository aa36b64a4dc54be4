package cdp_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"cassini/agent/frames/cdp"
	"cassini/agent/frames/wire"
	"cassini/agent/frames/wire/frametest"
	"cassini/model"
)

func decode(t *testing.T, frame []byte) (model.Discovery, error) {
	t.Helper()
	f, ok := wire.Unwrap(frame)
	if !ok || f.Proto != wire.CDP {
		t.Fatal("not a CDP frame")
	}
	return cdp.Decode(f.Payload)
}

func port() []byte { return frametest.CDPTLV(3, []byte("Gi1/0/1")) }

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		payload []byte
		want    error
	}{
		"nothing":        {nil, cdp.ErrShort},
		"three bytes":    {frametest.Hex("02b400"), cdp.ErrShort},
		"header":         {frametest.Hex("02b40000"), cdp.ErrNobody},
		"port alone":     {append(frametest.Hex("02b40000"), port()...), cdp.ErrNobody},
		"empty device":   {frametest.Hex("02b40000 0001 0004"), cdp.ErrNobody},
		"device cut off": {frametest.Hex("02b40000 0001 0008 41"), cdp.ErrNobody},
	} {
		if _, err := cdp.Decode(c.payload); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestProblems(t *testing.T) {
	tlv, hex := frametest.CDPTLV, frametest.Hex
	for name, c := range map[string]struct {
		frame []byte
		want  []string
	}{
		"none":              {frametest.CDP(2, port()), nil},
		"no port":           {frametest.CDP(2), []string{"no port id"}},
		"empty port":        {frametest.CDP(2, tlv(3)), []string{"port id is empty"}},
		"version 3":         {frametest.CDP(3, port()), []string{"version 3 is not known"}},
		"length 3":          {frametest.CDP(2, port(), hex("000a 0003")), []string{"TLV of type 10 has length 3"}},
		"past the end":      {frametest.CDP(2, port(), hex("000a 0007 0001")), []string{"TLV of type 10 runs past the end of the frame"}},
		"bytes left":        {frametest.CDP(2, port(), hex("000a 00")), []string{"3 bytes after the last TLV"}},
		"native VLAN":       {frametest.CDP(2, port(), tlv(10, hex("01"))), []string{"native VLAN: 1 bytes, want 2"}},
		"capabilities":      {frametest.CDP(2, port(), tlv(4, hex("01"))), []string{"capabilities: 1 bytes, want 4"}},
		"duplex":            {frametest.CDP(2, port(), tlv(11)), []string{"duplex: 0 bytes, want 1"}},
		"MTU":               {frametest.CDP(2, port(), tlv(17, hex("05dc"))), []string{"MTU: 2 bytes, want 4"}},
		"power":             {frametest.CDP(2, port(), tlv(26, hex("00010002"))), []string{"power available: 4 bytes, want 8"}},
		"location":          {frametest.CDP(2, port(), tlv(23)), []string{"location: 0 bytes, want 1"}},
		"addresses":         {frametest.CDP(2, port(), tlv(2, hex("0000"))), []string{"addresses: 2 bytes, want 4"}},
		"addresses missing": {frametest.CDP(2, port(), tlv(2, hex("00000002 0101cc0004c0000201"))), []string{"addresses: 1 are there of 2"}},
		"addresses many":    {frametest.CDP(2, port(), tlv(2, hex("ffffffff"))), []string{"addresses: 0 are there of 4294967295"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := decode(t, c.frame)
			if err != nil || !slices.Equal(d.Problems, c.want) {
				t.Errorf("problems %q, %v, want %q", d.Problems, err, c.want)
			}
		})
	}
}

// TestChecksum breaks each byte of messages of even and odd length.
func TestChecksum(t *testing.T) {
	for last := range 256 {
		for _, frame := range [][]byte{
			frametest.CDP(2, port(), frametest.CDPTLV(18, []byte{byte(last)})),
			frametest.CDP(2, port(), frametest.CDPTLV(10, []byte{1, byte(last)})),
		} {
			if d, err := decode(t, frame); err != nil || len(d.Problems) > 0 {
				t.Fatalf("last byte %d: %q, %v", last, d.Problems, err)
			}
			frame[24]++ // the checksum itself
			if d, err := decode(t, frame); err != nil || !slices.Equal(d.Problems, []string{"checksum is wrong"}) {
				t.Fatalf("last byte %d, broken: %q, %v", last, d.Problems, err)
			}
		}
	}
}

// TestRepeated holds that the first TLV counts, and the next is kept raw.
func TestRepeated(t *testing.T) {
	d, err := decode(t, frametest.CDP(2, port(), frametest.CDPTLV(10, frametest.Hex("0001")), frametest.CDPTLV(10, frametest.Hex("0002"))))
	want := []model.RawTLV{{Type: 10, Value: "0002"}}
	if err != nil || d.PortVLAN != 1 || !reflect.DeepEqual(d.Unknown, want) {
		t.Errorf("VLAN %d, unknown %v, %v", d.PortVLAN, d.Unknown, err)
	}
}

// TestPortLength is a sender whose port id leaves its last three bytes out.
func TestPortLength(t *testing.T) {
	d, err := decode(t, frametest.CDP(2, frametest.Hex("0003 0005 65746830"), frametest.CDPTLV(10, frametest.Hex("0007"))))
	if err != nil || d.Port.ID != "eth0" || d.PortVLAN != 7 || len(d.Problems) > 0 {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestHostile(t *testing.T) {
	for _, frame := range frametest.Hostile() {
		if f, ok := wire.Unwrap(frame.Data); ok && f.Proto == wire.CDP {
			if d, err := cdp.Decode(f.Payload); err == nil {
				frametest.Sound(t, d, len(f.Payload))
			}
		}
	}
}
