package announce

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const ethernet = "ffffffffffff 020000000009 0806"

func TestARP(t *testing.T) {
	for _, c := range []struct {
		name, frame string
		want        Address
	}{
		{"request", ethernet + "0001 0800 06 04 0001 020000000009 0a000009 000000000000 0a000001", Address{"02:00:00:00:00:09", netip.MustParseAddr("10.0.0.9"), false}},
		{"reply, padded", ethernet + "0001 0800 06 04 0002 020000000009 0a000009 020000000001 0a000001" + strings.Repeat("00", 18), Address{"02:00:00:00:00:09", netip.MustParseAddr("10.0.0.9"), false}},
		{"probe", ethernet + "0001 0800 06 04 0001 020000000009 00000000 000000000000 0a000001", Address{}},
		{"of nobody", ethernet + "0001 0800 06 04 0001 000000000000 0a000009 000000000000 0a000001", Address{}},
		{"of a group", ethernet + "0001 0800 06 04 0001 010000000009 0a000009 000000000000 0a000001", Address{}},
		{"for a group", ethernet + "0001 0800 06 04 0001 020000000009 e0000001 000000000000 0a000001", Address{}},
		{"of another link", ethernet + "0006 0800 06 04 0001 020000000009 0a000009 000000000000 0a000001", Address{}},
		{"lengths that wrap around", ethernet + "0001 0800 fe 82 0001 020000000009 0a000009 000000000000 0a000001", Address{}},
		{"cut", ethernet + "0001 0800 06 04 0001 0200", Address{}},
		{"nothing", "ffff", Address{}},
	} {
		got, err := ARP(bytesOf(t, c.frame))
		if got != c.want || (err == nil) != c.want.Addr.IsValid() || err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func TestND(t *testing.T) {
	const source, target = "fe80::9", "2001:db8::9"
	at := strings.ReplaceAll(hex.EncodeToString(netip.MustParseAddr(target).AsSlice()), " ", "")
	mac := "020000000009"
	for _, c := range []struct {
		name, message, source string
		want                  Address
	}{
		{"solicitation", "87000000 00000000" + at + "0101" + mac, source, Address{"02:00:00:00:00:09", netip.MustParseAddr(source), false}},
		{"solicitation with another option first", "87000000 00000000" + at + "0e01 000000000000 0101" + mac, source, Address{"02:00:00:00:00:09", netip.MustParseAddr(source), false}},
		{"advertisement", "88000000 20000000" + at + "0201" + mac, source, Address{"02:00:00:00:00:09", netip.MustParseAddr(target), false}},
		{"a router's advertisement", "88000000 a0000000" + at + "0201" + mac, source, Address{"02:00:00:00:00:09", netip.MustParseAddr(target), true}},
		{"router", "86000000 40 00 0708 00000000 00000000 0101" + mac, source + "%eth0", Address{"02:00:00:00:00:09", netip.MustParseAddr(source), true}},
		{"a router no longer", "86000000 40 00 0000 00000000 00000000 0101" + mac, source, Address{"02:00:00:00:00:09", netip.MustParseAddr(source), false}},
		{"detection of duplicates", "87000000 00000000" + at, "::", Address{}},
		{"solicitation of no hardware", "87000000 00000000" + at, source, Address{}},
		{"option of no length", "87000000 00000000" + at + "0100" + mac, source, Address{}},
		{"option that is cut", "87000000 00000000" + at + "0102" + mac, source, Address{}},
		{"echo", "80000000 00000000", source, Address{}},
		{"cut", "8700", source, Address{}},
	} {
		addr := netip.MustParseAddr(c.source)
		got, err := ND(bytesOf(t, c.message), addr)
		if got != c.want || (err == nil) != c.want.Addr.IsValid() || err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

// dhcp is an IPv4 packet with a DHCP message; options as in RFC 2132.
func dhcp(op byte, mac, ciaddr, yiaddr string, options ...string) []byte {
	m := make([]byte, 240)
	m[0], m[1], m[2] = op, 1, 6
	for at, addr := range map[int]string{12: ciaddr, 16: yiaddr} {
		if addr != "" {
			copy(m[at:], netip.MustParseAddr(addr).AsSlice())
		}
	}
	hw, _ := hex.DecodeString(mac)
	copy(m[28:], hw)
	binary.BigEndian.PutUint32(m[236:], 0x63825363)
	for _, o := range options {
		b, err := hex.DecodeString(o)
		if err != nil {
			panic(err)
		}
		m = append(m, b...)
	}
	m = append(m, 0xff)
	p := make([]byte, 28)
	p[0], p[9] = 0x45, 17
	binary.BigEndian.PutUint16(p[20:], 68)
	binary.BigEndian.PutUint16(p[22:], 67)
	binary.BigEndian.PutUint16(p[24:], uint16(8+len(m)))
	return append(p, m...)
}

func opt(code byte, value string) string {
	return hex.EncodeToString(append([]byte{code, byte(len(value))}, value...))
}

func TestDHCP(t *testing.T) {
	const mac = "020000000009"
	nine, one := netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("10.0.0.1")
	for _, c := range []struct {
		name   string
		packet []byte
		want   Client
	}{
		{"discover", dhcp(1, mac, "", "", "350101", opt(12, "desk-4"), opt(60, "MSFT 5.0"), "32040a000009"), Client{MAC: "02:00:00:00:00:09", HostName: "desk-4", VendorClass: "MSFT 5.0"}},
		{"firmware", dhcp(1, mac, "", "", "350101", opt(60, "PXEClient:Arch:00007:UNDI:003016"), "5d020007"), Client{MAC: "02:00:00:00:00:09", VendorClass: "PXEClient:Arch:00007:UNDI:003016", PXE: true}},
		{"request", dhcp(1, mac, "", "", "350103", "32040a000009", "36040a000001"), Client{MAC: "02:00:00:00:00:09", Addr: nine, Server: one}},
		{"renewal", dhcp(1, mac, "10.0.0.9", "", "350103"), Client{MAC: "02:00:00:00:00:09", Addr: nine}},
		{"full name", dhcp(1, mac, "", "", "350101", opt(12, "desk-4"), opt(81, "\x00\x00\x00desk-4.example")), Client{MAC: "02:00:00:00:00:09", HostName: "desk-4.example"}},
		{"full name in wire form", dhcp(1, mac, "", "", "350101", opt(12, "desk-4"), opt(81, "\x04\x00\x00\x06desk-4\x00")), Client{MAC: "02:00:00:00:00:09", HostName: "desk-4"}},
		{"offer", dhcp(2, mac, "", "10.0.0.9", "350102", "36040a000001"), Client{MAC: "02:00:00:00:00:09", Server: one, Answer: true}},
		{"acknowledgement", dhcp(2, mac, "", "10.0.0.9", "350105", "36040a000001", opt(12, "ours")), Client{MAC: "02:00:00:00:00:09", Addr: nine, Server: one, Answer: true}},
		{"name of bytes", dhcp(1, mac, "", "", "350101", opt(12, "a\xffb\x00")), Client{MAC: "02:00:00:00:00:09", HostName: "a\uFFFDb"}},
		{"no type", dhcp(1, mac, "", ""), Client{}},
		{"no hardware", dhcp(1, "000000000000", "", "", "350101"), Client{}},
		{"an option beyond the end", dhcp(1, mac, "", "", "350101", "0cf0"), Client{}},
		{"cut", dhcp(1, mac, "", "", "350101")[:100], Client{}},
		{"not IPv4", []byte{0x60}, Client{}},
	} {
		got, err := DHCP(c.packet)
		if got != c.want || (err == nil) != (c.want.MAC != "") || err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	long := dhcp(1, mac, "", "", "350101")
	long[28+2] = 250 // a hardware address of 250 bytes
	if _, err := DHCP(long); !errors.Is(err, ErrMalformed) {
		t.Errorf("a hardware address of 250 bytes: %v", err)
	}
}

func FuzzAnnouncements(f *testing.F) {
	f.Add(bytesOf(f, ethernet+"0001 0800 06 04 0001 020000000009 0a000009 000000000000 0a000001"))
	f.Add(bytesOf(f, "86000000 40 00 0708 00000000 00000000 0101 020000000009"))
	f.Add(bytesOf(f, "88000000 a0000000 20010db8000000000000000000000009 0201 020000000009"))
	f.Add(dhcp(1, "020000000009", "", "", "350101", opt(12, "desk-4"), opt(81, "\x00\x00\x00desk-4.example")))
	f.Add(dhcp(2, "020000000009", "", "10.0.0.9", "350105", "36040a000001"))
	source := netip.MustParseAddr("fe80::9")
	f.Fuzz(func(t *testing.T, b []byte) {
		arp, errARP := ARP(b)
		nd, errND := ND(b, source)
		client, errDHCP := DHCP(b)
		for _, err := range []error{errARP, errND, errDHCP} {
			if err != nil && !errors.Is(err, ErrMalformed) {
				t.Errorf("error is %v", err)
			}
		}
		for _, a := range []Address{arp, nd} {
			if a != (Address{}) && (len(a.MAC) != 17 || !a.Addr.IsValid() || a.Addr.IsMulticast()) {
				t.Errorf("%+v", a)
			}
		}
		if len(client.HostName) > 3*maxText || len(client.VendorClass) > 3*maxText || strings.Contains(client.HostName, "\xff") {
			t.Errorf("%+v", client)
		}
	})
}
