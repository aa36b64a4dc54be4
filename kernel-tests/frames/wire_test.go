package frames

import (
	"encoding/binary"
	"fmt"
	"net"
	"testing"

	"cassini/agent/netns"
	"cassini/bpf"
	"cassini/manager/graph"

	"golang.org/x/sys/unix"
)

// lldp is an LLDPDU with its Ethernet header.
func lldp(chassis, port string, ttl uint16) []byte {
	mac, err := net.ParseMAC(chassis)
	if err != nil {
		panic(err)
	}
	frame := append([]byte{0x01, 0x80, 0xc2, 0, 0, 0x0e}, mac...)
	frame = append(frame, 0x88, 0xcc)
	tlv := func(kind int, value []byte) {
		frame = binary.BigEndian.AppendUint16(frame, uint16(kind<<9|len(value)))
		frame = append(frame, value...)
	}
	tlv(1, append([]byte{4}, mac...))
	tlv(2, append([]byte{5}, port...))
	tlv(3, binary.BigEndian.AppendUint16(nil, ttl))
	tlv(0, nil)
	return append(frame, make([]byte, 60)...)
}

// tagged puts a VLAN tag into a frame.
func tagged(frame []byte, kind, vlan uint16) []byte {
	out := append([]byte(nil), frame[:12]...)
	out = binary.BigEndian.AppendUint16(out, kind)
	out = binary.BigEndian.AppendUint16(out, vlan)
	return append(out, frame[12:]...)
}

// send puts frames on an interface of a machine.
func send(t testing.TB, ns, name string, list ...[]byte) {
	t.Helper()
	spaces, err := netns.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range spaces {
		if s.Name != ns {
			continue
		}
		if err := s.Do(func() error { return put(name, list) }); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("no namespace %s", ns)
}

func put(name string, list [][]byte) error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	i, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	for _, frame := range list {
		if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: i.Index}); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
	return nil
}

func counters(t testing.TB, filter *bpf.Frames) bpf.FrameCounters {
	t.Helper()
	c, err := filter.Counters()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTaggedFrames(t *testing.T) {
	sw, host := machine(t, "sw"), machine(t, "host")
	cable(t, host, "eth0", sw, "p1")
	e := newEstate(t, host)
	eventually(t, "listening", func() bool { return e.hosts[host].Stats().Links == 1 })
	plain := lldp("aa:bb:cc:00:00:01", "plain", 120)
	for _, c := range []struct {
		port string
		vlan uint16
		wrap func([]byte) []byte
	}{
		{"plain", 0, func(f []byte) []byte { return f }},
		{"priority", 0, func(f []byte) []byte { return tagged(f, 0x8100, 0) }},
		{"tagged", 0, func(f []byte) []byte { return tagged(f, 0x8100, 7) }},
		{"qinq", 7, func(f []byte) []byte { return tagged(tagged(f, 0x8100, 7), 0x88a8, 9) }},
	} { // the kernel takes the outer tag off and forgets it
		send(t, sw, "p1", c.wrap(lldp("aa:bb:cc:00:00:01", c.port, 120)))
		eventually(t, c.port, func() bool {
			for _, p := range e.Ports(graph.PortFilter{}) {
				if p.Neighbor.Port.ID == c.port && p.Neighbor.FrameVLAN == c.vlan {
					return true
				}
			}
			return false
		})
	}
	// A device of ours that sends is not its own neighbor.
	send(t, host, "eth0", plain)
	send(t, sw, "p1", lldp("aa:bb:cc:00:00:01", "last", 120))
	e.expectWires("only what came in", []string{"host/eth0 /last"})
}

// Ordinary traffic does not reach user space, and hardly the filter; a flood of
// discovery frames is held back, counted, and takes no other interface's share.
func TestFloods(t *testing.T) {
	sw, host := machine(t, "sw"), machine(t, "host")
	cable(t, host, "eth0", sw, "p1")
	cable(t, host, "eth1", sw, "p2")
	e := newEstate(t, host)
	eventually(t, "listening", func() bool { return e.hosts[host].Stats().Links == 2 })
	const many = 20_000
	ordinary := append([]byte{0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x08, 0x00}, make([]byte, 100)...)
	flood := make([][]byte, many)
	for i := range flood {
		flood[i] = ordinary
	}
	send(t, sw, "p1", flood...)
	if c := counters(t, e.filter(host)); c.Seen != 0 {
		t.Errorf("%d of %d ordinary frames met the filter", c.Seen, many)
	}
	for i := range flood {
		flood[i] = lldp(fmt.Sprintf("aa:bb:cc:00:%02x:%02x", i>>8&0xff, i&0xff), "false", 120)
	}
	send(t, sw, "p1", flood...)
	send(t, sw, "p2", lldp("aa:bb:cc:ff:ff:ff", "true", 120))
	eventually(t, "the neighbor on the other interface", func() bool {
		return len(e.Ports(graph.PortFilter{Interface: "eth1"})) == 1
	})
	eventually(t, "every frame, and some refused", func() bool { // the kernel may take some of them later
		return counters(t, e.filter(host)).Seen > many && e.hosts[host].Stats().Refused > 0
	})
	c, stats := counters(t, e.filter(host)), e.hosts[host].Stats()
	if c.Limited < many*9/10 || c.Lldp > many/10 || c.Seen != many+1 {
		t.Errorf("the filter let %d of %d pass and held %d back", c.Lldp, many, c.Limited)
	}
	if stats.Neighbors > 16+1 {
		t.Errorf("%d neighbors are kept, %d refused", stats.Neighbors, stats.Refused)
	}
}
