// Package socket hears the answers of one name server in one network namespace, by a raw
// socket that is connected to it: the kernel gives the socket a copy of each UDP datagram
// that this host takes in from that address, and compares addresses before it copies.
// Datagrams of others cost that comparison. A filter passes answers from port 53 alone.
// Nothing is sent.
package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"cassini/agent/inbox"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// buffer holds answers that wait to be read, in bytes.
const buffer = 128 << 10

// maxAnswer is how much of a datagram is read, in bytes; what is beyond is cut.
const maxAnswer = 8192

// Socket hears one name server. Read may be called concurrently with the other methods.
type Socket struct {
	in    *inbox.Inbox
	v4    bool
	aside []byte
	lost  uint32
}

// Open opens the socket. enter calls a function inside the network namespace. It fails
// where no route leads to the server.
func Open(server netip.Addr, enter func(func() error) error) (*Socket, error) {
	fd := -1
	err := enter(func() (err error) {
		fd, err = open(server)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen for answers of name server %s: %w", server, err)
	}
	in, err := inbox.New(fd)
	if err != nil {
		return nil, fmt.Errorf("listen for answers of name server %s: %w", server, err)
	}
	return &Socket{in: in, v4: server.Is4(), aside: make([]byte, 64)}, nil
}

func open(server netip.Addr) (int, error) {
	family, program := unix.AF_INET6, filter()
	if server.Is4() {
		// The data begin with the IPv4 header: X becomes its length.
		family, program = unix.AF_INET, append([]bpf.Instruction{bpf.LoadMemShift{Off: 0}}, filter()...)
	}
	to, err := sockaddr(server)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return -1, err
	}
	// Between the two calls the socket hears everybody's: the filter comes first, and what
	// is heard until it is connected is taken away behind.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
	err = attach(fd, program)
	if err == nil {
		err = unix.Connect(fd, to)
	}
	if err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	drain(fd)
	return fd, nil
}

// drain reads what came before the socket was connected.
func drain(fd int) {
	var b [1]byte
	for range 1024 {
		if _, _, err := unix.Recvfrom(fd, b[:], unix.MSG_DONTWAIT|unix.MSG_TRUNC); errors.Is(err, unix.EAGAIN) {
			return
		}
	}
}

func sockaddr(server netip.Addr) (unix.Sockaddr, error) {
	if server.Is4() {
		return &unix.SockaddrInet4{Addr: server.As4()}, nil
	}
	to := &unix.SockaddrInet6{Addr: server.As16()}
	if zone := server.Zone(); zone != "" {
		i, err := net.InterfaceByName(zone) // of the namespace that we are in
		if err != nil {
			return nil, err
		}
		to.ZoneId = uint32(i.Index)
	}
	return to, nil
}

const udpHeader = 8

// filter passes datagrams from port 53 that are answers (RFC 1035, 4.1.1), without an
// error and not empty. The UDP header begins at X.
func filter() []bpf.Instruction {
	const drop = 8
	return []bpf.Instruction{
		bpf.LoadIndirect{Off: 0, Size: 2}, // source port
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 53, SkipTrue: drop - 1},
		bpf.LoadIndirect{Off: udpHeader + 2, Size: 1}, // QR
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: 0x80, SkipTrue: drop - 3},
		bpf.LoadIndirect{Off: udpHeader + 3, Size: 1}, // RCODE
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x0f, SkipTrue: drop - 5},
		bpf.LoadIndirect{Off: udpHeader + 6, Size: 2}, // ANCOUNT
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{Val: 0xffff},
		bpf.RetConstant{Val: 0},
	}
}

func attach(fd int, program []bpf.Instruction) error {
	assembled, err := bpf.Assemble(program)
	if err != nil {
		return fmt.Errorf("assemble the filter of answers: %w", err)
	}
	code := make([]unix.SockFilter, len(assembled))
	for i, in := range assembled {
		code[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
}

// Read waits for the next answer: a DNS message. lost is how many found no room so far. The
// error is os.ErrClosed after Close; after another, which tells of the way to the server,
// reading goes on.
func (s *Socket) Read() (message []byte, lost uint32, err error) {
	packet, aside, _, err := s.in.Receive(maxAnswer, s.aside)
	if err != nil {
		return nil, s.lost, err
	}
	s.count(s.aside[:aside])
	return payload(packet, s.v4), s.lost, nil
}

// count takes the kernel's count of what was dropped (socket(7), SO_RXQ_OVFL).
func (s *Socket) count(aside []byte) {
	messages, err := unix.ParseSocketControlMessage(aside)
	if err != nil {
		return
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_RXQ_OVFL && len(m.Data) >= 4 {
			s.lost = binary.NativeEndian.Uint32(m.Data)
		}
	}
}

// payload is what is behind the UDP header.
func payload(packet []byte, v4 bool) []byte {
	header := udpHeader
	if v4 {
		if len(packet) == 0 {
			return nil
		}
		header += int(packet[0]&0xf) * 4
	}
	return packet[min(header, len(packet)):]
}

// Close ends Read and lets the namespace go.
func (s *Socket) Close() error { return s.in.Close() }
