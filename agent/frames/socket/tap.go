package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tap is one socket that packets come in by.
type tap struct {
	file *os.File
	raw  interface {
		Read(func(uintptr) bool) error
		Control(func(uintptr)) error
	}
}

// newTap takes a socket that does not block; it is closed on an error.
func newTap(fd int) (*tap, error) {
	t := &tap{file: os.NewFile(uintptr(fd), "packets")}
	var err error
	if t.raw, err = t.file.SyscallConn(); err != nil {
		return nil, errors.Join(fmt.Errorf("read a packet socket: %w", err), t.file.Close())
	}
	return t, nil
}

// lost is how many frames found no room since it was last asked.
func (t *tap) lost() (n uint64) {
	_ = t.raw.Control(func(fd uintptr) {
		if stats, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			n = uint64(stats.Drops)
		}
	})
	return n
}

// receive waits for a packet. The error is os.ErrClosed once the socket is closed.
func (t *tap) receive(buf, control []byte) (n, controls int, from unix.Sockaddr, err error) {
	waited := t.raw.Read(func(fd uintptr) bool {
		n, controls, _, from, err = unix.Recvmsg(int(fd), buf, control, 0)
		return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
	})
	if waited != nil {
		return 0, 0, nil, os.ErrClosed
	}
	if err != nil {
		return 0, 0, nil, fmt.Errorf("receive a packet: %w", err)
	}
	return n, controls, from, nil
}

// frame waits for a frame of a packet socket.
func (t *tap) frame(buf, control []byte) (f Frame, err error) {
	n, size, from, err := t.receive(buf, control)
	if err != nil {
		return f, err
	}
	if at, ok := from.(*unix.SockaddrLinklayer); ok {
		f.IfIndex = at.Ifindex
	}
	f.Data, f.VLAN = buf[:n], tag(control[:size])
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
