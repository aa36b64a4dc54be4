package conntrack

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/net/bpf"
)

// attribute is one of netlink, with its padding; nested marks those that hold others.
func attribute(kind uint16, data ...[]byte) []byte {
	body := slices.Concat(data...)
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(body)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	return append(append(b, body...), make([]byte, (4-len(body)%4)%4)...)
}

const nested = 0x8000

func big(n uint32, size int) []byte { return binary.BigEndian.AppendUint32(nil, n)[4-size:] }

func tuple(kind uint16, proto byte, from, to netip.AddrPort) []byte {
	source, destination := uint16(1), uint16(2) // CTA_IP_V4_SRC, CTA_IP_V4_DST
	if from.Addr().Is6() {
		source, destination = 3, 4
	}
	return attribute(kind|nested,
		attribute(1|nested, attribute(source, from.Addr().AsSlice()), attribute(destination, to.Addr().AsSlice())),
		attribute(2|nested, attribute(1, []byte{proto}), attribute(2, big(uint32(from.Port()), 2)), attribute(3, big(uint32(to.Port()), 2))))
}

// message is what the kernel tells of a flow that begins: the tuples, an identifier, a
// status, a timeout.
func message(proto byte, status uint32, client, dialled, reached, seen string) netlink.Message {
	at := netip.MustParseAddrPort
	return netlink.Message{
		Header: netlink.Header{Type: 1 << 8, Flags: netlink.Create | netlink.Excl},
		Data: slices.Concat([]byte{2, 0, 0, 0}, // nfgenmsg
			tuple(1, proto, at(client), at(dialled)), tuple(2, proto, at(reached), at(seen)),
			attribute(12, big(4711, 4)), attribute(3, big(status, 4)), attribute(7, big(120, 4))),
	}
}

const (
	tcp, udp, icmp         = 6, 17, 1
	confirmed, snat, dnat  = 1 << 3, 1 << 4, 1 << 5
	client, dialled        = "10.0.0.9:40000", "10.0.0.1:80"
	reached, seen, another = "10.1.0.7:8080", "10.1.0.1:40000", "10.0.0.9:50000"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name string
		m    netlink.Message
		want string // "" for none
	}{
		{"both", message(tcp, confirmed|snat|dnat, client, dialled, reached, seen), "{tcp 10.0.0.9 10.0.0.1:80 10.1.0.7:8080 10.1.0.1}"},
		{"destination", message(udp, confirmed|dnat, client, dialled, reached, client), "{udp 10.0.0.9 10.0.0.1:80 10.1.0.7:8080 10.0.0.9}"},
		{"source", message(tcp, snat, client, dialled, dialled, seen), "{tcp 10.0.0.9 10.0.0.1:80 10.0.0.1:80 10.1.0.1}"},
		{"a client's port alone", message(tcp, snat, client, dialled, dialled, another), ""},
		{"IPv6", message(tcp, dnat, "[fd00::9]:4", "[fd00::1]:80", "[fd01::7]:8080", "[fd00::9]:4"), "{tcp fd00::9 [fd00::1]:80 [fd01::7]:8080 fd00::9}"},
		{"not translated", message(tcp, confirmed, client, dialled, dialled, client), ""},
		{"another protocol", message(icmp, dnat, client, dialled, reached, client), ""},
		{"an update", func() netlink.Message {
			m := message(tcp, dnat, client, dialled, reached, client)
			m.Header.Flags = 0
			return m
		}(), ""},
	} {
		f, ok, err := Parse(c.m)
		if err != nil || ok != (c.want != "") || ok && c.want != "{"+f.Proto+" "+f.Client.String()+" "+f.Dialled.String()+" "+f.Reached.String()+" "+f.SeenAs.String()+"}" {
			t.Errorf("%s: %v, %v, %v; want %s", c.name, f, ok, err, c.want)
		}
	}
	bad := message(tcp, dnat, client, dialled, reached, client)
	bad.Data = bad.Data[:30]
	if _, _, err := Parse(bad); !errors.Is(err, ErrMalformed) {
		t.Errorf("cut off: %v", err)
	}
}

// The filter is a program. What it lets through only a kernel can say: kernel-tests/translate.
func TestFilterIsAProgram(t *testing.T) {
	if _, err := bpf.Assemble(filter()); err != nil {
		t.Fatal(err)
	}
}

func FuzzParse(f *testing.F) {
	for _, m := range []netlink.Message{
		message(tcp, snat|dnat, client, dialled, reached, seen), message(udp, dnat, "[fd00::9]:4", "[fd00::1]:80", "[fd01::7]:8080", "[fd00::9]:4"),
	} {
		f.Add(m.Data)
	}
	f.Add([]byte{2, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		m := netlink.Message{Header: netlink.Header{Type: 1 << 8, Flags: netlink.Create | netlink.Excl}, Data: data}
		flow, ok, err := Parse(m)
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("error is %v", err)
		}
		if ok && (!flow.Client.IsValid() || !flow.Dialled.IsValid() || !flow.Reached.IsValid() || !flow.SeenAs.IsValid()) {
			t.Errorf("%+v", flow)
		}
	})
}
