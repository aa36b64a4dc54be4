package socket

import (
	"encoding/binary"
	"unsafe"

	"cassini/agent/inbox"

	"golang.org/x/sys/unix"
)

// tap is one socket that packets come in by.
type tap struct{ *inbox.Inbox }

// lost is how many frames found no room since it was last asked.
func (t *tap) lost() (n uint64) {
	_ = t.Control(func(fd int) {
		if stats, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			n = uint64(stats.Drops)
		}
	})
	return n
}

// frame waits for a frame of a packet socket.
func (t *tap) frame(control []byte) (f Frame, err error) {
	data, size, from, err := t.Receive(maxFrame, control)
	if err != nil {
		return f, err
	}
	if at, ok := from.(*unix.SockaddrLinklayer); ok {
		f.IfIndex = at.Ifindex
	}
	f.Data, f.VLAN = data, tag(control[:size])
	return f, nil
}

// tag is the VLAN id that the kernel took off a frame (packet(7), PACKET_AUXDATA).
func tag(control []byte) uint16 {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		if m.Header.Level != unix.SOL_PACKET || m.Header.Type != unix.PACKET_AUXDATA || len(m.Data) < int(unsafe.Sizeof(auxData{})) {
			continue
		}
		var aux auxData
		if _, err := binary.Decode(m.Data, binary.NativeEndian, &aux); err == nil && aux.Status&unix.TP_STATUS_VLAN_VALID != 0 {
			return aux.VLAN & 0xfff
		}
	}
	return 0
}

// auxData is struct tpacket_auxdata (linux/if_packet.h).
type auxData struct {
	Status, Len, Snaplen uint32
	MAC, Net             uint16
	VLAN, VLANType       uint16
}

// network puts a number in network byte order.
func network(n uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], n)
	return binary.NativeEndian.Uint16(b[:])
}
