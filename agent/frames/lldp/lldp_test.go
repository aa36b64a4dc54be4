package lldp_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cassini/agent/frames/lldp"
	"cassini/agent/frames/wire"
	"cassini/agent/frames/wire/frametest"
	"cassini/model"
)

func decode(t *testing.T, frame []byte) (model.Discovery, error) {
	t.Helper()
	f, ok := wire.Unwrap(frame)
	if !ok || f.Proto != wire.LLDP {
		t.Fatal("not an LLDP frame")
	}
	return lldp.Decode(f.Payload)
}

// minimal is what frametest.Mandatory says.
func minimal() model.Discovery {
	return model.Discovery{Protocol: "lldp", TTL: 120,
		Chassis: model.PortID{Kind: "mac", ID: "02:00:5e:00:53:01"}, Port: model.PortID{Kind: "ifname", ID: "eth0"}}
}

func TestMandatory(t *testing.T) {
	tlv, hex := frametest.TLV, frametest.Hex
	chassis, port, ttl, end := tlv(1, hex("0731")), tlv(2, hex("0731")), tlv(3, hex("0078")), tlv(0)
	join := func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	for name, c := range map[string]struct {
		payload []byte
		want    error
	}{
		"good":                {join(chassis, port, ttl, end), nil},
		"no end":              {join(chassis, port, ttl), nil},
		"nothing":             {nil, lldp.ErrOrder},
		"one byte":            {[]byte{2}, lldp.ErrOrder},
		"no TTL":              {join(chassis, port, end), lldp.ErrOrder},
		"port first":          {join(port, chassis, ttl, end), lldp.ErrOrder},
		"optional in between": {join(chassis, tlv(5), port, ttl, end), lldp.ErrOrder},
		"chassis twice":       {join(chassis, port, ttl, tlv(5), chassis, end), lldp.ErrOrder},
		"port twice":          {join(chassis, port, ttl, port, end), lldp.ErrOrder},
		"TTL twice":           {join(chassis, port, ttl, ttl, end), lldp.ErrOrder},
		"chassis after end":   {join(chassis, port, ttl, end, chassis), nil},
		"chassis too short":   {join(tlv(1, hex("07")), port, ttl, end), lldp.ErrMandatory},
		"chassis of 255":      {join(tlv(1, hex("07"), make([]byte, 255)), port, ttl, end), nil},
		"chassis of 256":      {join(tlv(1, hex("07"), make([]byte, 256)), port, ttl, end), lldp.ErrMandatory},
		"port empty":          {join(chassis, tlv(2), ttl, end), lldp.ErrMandatory},
		"TTL of one byte":     {join(chassis, port, tlv(3, hex("78")), end), lldp.ErrMandatory},
		"TTL cut off":         {join(chassis, port, ttl[:3]), lldp.ErrOrder},
	} {
		if _, err := lldp.Decode(c.payload); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestIDKinds(t *testing.T) {
	for kind, want := range map[string]model.PortID{
		"01 4131": {Kind: "component", ID: "A1"}, "02 4131": {Kind: "ifalias", ID: "A1"}, "03 4131": {Kind: "port", ID: "A1"},
		"04 001122334455": {Kind: "mac", ID: "00:11:22:33:44:55"}, "05 01 c0000201": {Kind: "ip", ID: "192.0.2.1"},
		"05 02 20010db8000000000000000000000001": {Kind: "ip", ID: "2001:db8::1"}, "06 4131": {Kind: "ifname", ID: "A1"},
		"07 4131": {Kind: "local", ID: "A1"}, "07 00ff": {Kind: "local", ID: "00:ff"}, "00 41": {Kind: "0", ID: "A"}, "08 41": {Kind: "8", ID: "A"},
		"05 01 c00002": {Kind: "ip", ID: "01:c0:00:02"},
	} {
		frame := frametest.LLDPDU(slices.Concat(frametest.TLV(1, frametest.Hex(kind)), frametest.TLV(2, frametest.Hex("0731")), frametest.TLV(3, frametest.Hex("0001"))))
		if d, err := decode(t, frame); err != nil || d.Chassis != want {
			t.Errorf("chassis %s is %v, want %v; %v", kind, d.Chassis, want, err)
		}
	}
}

// TestMalformed holds that a wrong optional TLV is left out, and told of.
func TestMalformed(t *testing.T) {
	hex, org := frametest.Hex, frametest.Org
	for name, c := range map[string]struct {
		tlv  []byte
		want string
	}{
		"capabilities":      {frametest.TLV(7, hex("0014")), "system capabilities: 2 bytes, want 4"},
		"management":        {frametest.TLV(8, hex("05 01 c0000201 02 0000")), "management address: 9 bytes, want 12"},
		"management family": {frametest.TLV(8, hex("04 01 c00002 02 00000001 00")), "management address: address family 1 with 3 bytes"},
		"management length": {frametest.TLV(8, hex("01 01 02 00000001 00")), "management address: address of 0 bytes"},
		"organisation":      {frametest.TLV(127, hex("0080")), "organisational TLV: 2 bytes, want 4"},
		"PVID":              {org(frametest.Dot1, 1, hex("01")), "802.1 port VLAN: 1 bytes, want 2"},
		"PPVID":             {org(frametest.Dot1, 2, hex("0101")), "802.1 port and protocol VLAN: 2 bytes, want 3"},
		"VLAN name":         {org(frametest.Dot1, 3, hex("0001 05 41")), "802.1 VLAN name: 4 bytes, want 8"},
		"protocol":          {org(frametest.Dot1, 4, hex("05 41")), "802.1 protocol identity: 2 bytes, want 6"},
		"aggregation":       {org(frametest.Dot3, 3, hex("01")), "802.3 link aggregation: 1 bytes, want 5"},
		"MAC/PHY":           {org(frametest.Dot3, 1, hex("01")), "802.3 MAC/PHY: 1 bytes, want 5"},
		"power":             {org(frametest.Dot3, 2, hex("01")), "802.3 power via MDI: 1 bytes, want 3"},
		"frame size":        {org(frametest.Dot3, 4, hex("01")), "802.3 maximum frame size: 1 bytes, want 2"},
		"MED capabilities":  {org(frametest.MED, 1, hex("0001")), "MED capabilities: 2 bytes, want 3"},
		"MED policy":        {org(frametest.MED, 2, hex("010000")), "MED network policy: 3 bytes, want 4"},
		"MED location":      {org(frametest.MED, 3), "MED location: 0 bytes, want 1"},
		"MED coordinates":   {org(frametest.MED, 3, hex("01 00")), "MED coordinates: 1 bytes, want 16"},
		"MED civic":         {org(frametest.MED, 3, hex("02 09 00 4445")), "MED civic location: 4 bytes, want 10"},
		"MED power":         {org(frametest.MED, 4, hex("00")), "MED extended power: 1 bytes, want 3"},
		"end with a value":  {frametest.TLV(0, hex("00")), "end of LLDPDU: 1 bytes, want none"},
		"past the end":      {hex("ffff"), "TLV of type 127 runs past the end of the frame"},
	} {
		t.Run(name, func(t *testing.T) {
			want := minimal()
			want.Problems = []string{c.want}
			got, err := decode(t, frametest.LLDPDU(append(frametest.Mandatory(), c.tlv...)))
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// TestOddMandatory holds that what can still be read is, and is told of.
func TestOddMandatory(t *testing.T) {
	tlv, hex := frametest.TLV, frametest.Hex
	d, err := decode(t, frametest.LLDPDU(slices.Concat(tlv(1, hex("04 0011")), tlv(2, hex("04 01 c0")), tlv(3, hex("0078 00")), tlv(0))))
	want := []string{"chassis id: MAC of 2 bytes", "port id: address family 1 with 1 bytes", "TTL: 3 bytes, want 2"}
	if err != nil || d.Chassis.ID != "00:11" || d.Port.ID != "01:c0" || d.TTL != 120 || !slices.Equal(d.Problems, want) {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestFirstCounts holds that a repeated TLV changes nothing.
func TestFirstCounts(t *testing.T) {
	d, err := decode(t, frametest.LLDP(frametest.TLV(5, []byte("first")), frametest.TLV(5, []byte("second")),
		frametest.Org(frametest.Dot3, 3, frametest.Hex("01 00000002")), frametest.Org(frametest.Dot1, 7, frametest.Hex("03 00000003"))))
	if err != nil || d.SystemName != "first" || !slices.Equal(d.Problems, []string{"system name: repeated"}) {
		t.Errorf("%+v, %v", d, err)
	}
	if want := (model.Aggregation{Capable: true, Enabled: true, Port: 3}); *d.Aggregation != want {
		t.Errorf("aggregation %+v: that of 802.1 counts", *d.Aggregation)
	}
}

func TestObjectIdentifiers(t *testing.T) {
	for oid, want := range map[string]string{
		"08 2b06010401094e4e": "1.3.6.1.4.1.9.78.78", "01 00": "0.0", "01 78": "2.40", "02 8837": "2.999",
		"03 2b8637": "1.3.823", "01 80": "", "0b 2b ffffffffffffffffff7f": "", "02 2b": "",
	} {
		d, err := decode(t, frametest.LLDP(frametest.TLV(8, frametest.Hex("05 01 c0000201 02 00000001"+oid))))
		if err != nil || len(d.Management) != 1 || d.Management[0].OID != want || (want == "") != (len(d.Problems) == 1) {
			t.Errorf("%s: %+v %v, want %q", oid, d.Management, d.Problems, want)
		}
	}
}

// TestHostile holds that what a frame can make us keep is bounded.
func TestHostile(t *testing.T) {
	for _, frame := range frametest.Hostile() {
		if f, ok := wire.Unwrap(frame.Data); ok && f.Proto == wire.LLDP {
			if d, err := lldp.Decode(f.Payload); err == nil {
				frametest.Sound(t, d, len(f.Payload))
			}
		}
	}
	flood := bytes.Repeat(slices.Concat(frametest.TLV(9), frametest.Org(frametest.Dot1, 1), frametest.TLV(8, frametest.Hex("05 01 c0000201 02 00000001 00"))), 1000)
	d, err := decode(t, frametest.LLDP(flood))
	if err != nil || len(d.Unknown) != wire.MaxUnknown || len(d.Problems) != wire.MaxProblems || len(d.Management) != 64 {
		t.Errorf("%d unknown, %d problems, %d addresses, %v", len(d.Unknown), len(d.Problems), len(d.Management), err)
	}
	if all := strings.Join(d.Problems, ""); len(all) > 2048 {
		t.Errorf("problems of %d bytes", len(all))
	}
}

func BenchmarkDecode(b *testing.B) {
	payload := frametest.LLDP(frametest.TLV(5, []byte("leaf-1")), frametest.TLV(7, frametest.Hex("00140004")), frametest.Org(frametest.Dot1, 1, frametest.Hex("0001")))[14:]
	for b.Loop() {
		if _, err := lldp.Decode(payload); err != nil {
			b.Fatal(err)
		}
	}
}
