package capture

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Options and values of uapi/linux/sctp.h.
const (
	sctpLevel              = 132
	sctpRTOInfo            = 0
	sctpSendInfo           = 1 // SCTP_SNDRCV, a control message
	sctpUnordered          = 1
	sctpInitMessage        = 2
	sctpMaxSegment         = 13
	sctpStatus             = 14
	sctpDelayedSACK        = 16
	sctpFragmentInterleave = 18
	sctpAssociationStats   = 112
	sctpInterleaving       = 125
)

// sctpEnd is an end of one association.
type sctpEnd struct {
	fd   int
	peer unix.Sockaddr // nil of a socket that has one association
}

// sctpPair is an association, of which the client has said hello.
type sctpPair struct {
	listener       int
	port           uint16
	client, server sctpEnd
}

// sctpConnect begins an association whose sockets have these options, of which one message is sent
// and taken: 5 bytes.
func sctpConnect(t *testing.T, client, server sctpStyle, at string, options func(fd int) error) sctpPair {
	t.Helper()
	var p sctpPair
	p.listener, p.port = sctpListen(t, server.kind, at)
	to := netip.AddrPortFrom(netip.MustParseAddr(at), p.port)
	p.client.fd = sctpSocket(t, familyOf(to.Addr()), client.kind)
	if err := errors.Join(options(p.listener), options(p.client.fd)); err != nil {
		t.Fatal(err)
	}
	sctpSend(t, p.client.fd, client.kind, to)
	p.server.fd = p.listener
	if server.kind == unix.SOCK_STREAM {
		p.server.fd = sctpTake(t, p.listener, server.kind)
	} else {
		p.server.peer = sctpHello(t, p.listener)
	}
	if client.kind == unix.SOCK_SEQPACKET {
		p.client.peer = sockaddr(to)
	}
	return p
}

// sctpHello takes one message and tells whose it is.
func sctpHello(t *testing.T, fd int) (from unix.Sockaddr) {
	t.Helper()
	buf := make([]byte, 16)
	err := uninterrupted(func() (err error) {
		_, from, err = unix.Recvfrom(fd, buf, 0)
		return err
	})
	if err != nil || from == nil {
		t.Fatalf("from %v: %v", from, err)
	}
	return from
}

func (p *sctpPair) close(t *testing.T) {
	closeFD(t, p.client.fd)
	if p.server.fd != p.listener {
		closeFD(t, p.server.fd)
	}
}

// send sends one message on a stream.
func (e sctpEnd) send(size int, stream, flags uint16) error {
	oob := make([]byte, unix.CmsgSpace(32))
	header := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
	header.Level, header.Type = sctpLevel, sctpSendInfo
	header.SetLen(unix.CmsgLen(32))
	info := oob[unix.CmsgLen(0):]
	binary.NativeEndian.PutUint16(info, stream)
	binary.NativeEndian.PutUint16(info[4:], flags)
	return uninterrupted(func() error {
		_, err := unix.SendmsgN(e.fd, make([]byte, size), oob, e.peer, 0)
		return err
	})
}

// receive takes so many bytes, and no more.
func (e sctpEnd) receive(bytes int) error {
	buf := make([]byte, 8192) // less than a message: it is read in parts
	for got := 0; got < bytes; {
		err := uninterrupted(func() error {
			n, _, err := unix.Recvfrom(e.fd, buf, 0)
			if err == nil && n == 0 {
				err = errors.New("it ended")
			}
			got += max(n, 0)
			if got > bytes {
				err = errors.New("more came than was sent")
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sctpMove sends messages of these sizes by turns on ten streams, in order and not, and takes them
// at the other end. It returns how many bytes that were.
func sctpMove(from, to sctpEnd, sizes ...int) (sum int, err error) {
	for _, size := range sizes {
		sum += size
	}
	sent := make(chan error, 1)
	go func() {
		var err error
		for i, size := range sizes {
			err = errors.Join(err, from.send(size, uint16(i%10), uint16(i/10%2*sctpUnordered)))
		}
		sent <- err
	}()
	return sum, errors.Join(to.receive(sum), <-sent)
}

func setSCTP(fd, option int, values ...uint32) error {
	var raw []byte
	for _, v := range values {
		raw = binary.NativeEndian.AppendUint32(raw, v)
	}
	return unix.SetsockoptString(fd, sctpLevel, option, string(raw))
}

// getSCTP reads an option of the only association of a one-to-one socket.
func getSCTP(t *testing.T, fd, option int) []byte {
	t.Helper()
	raw := make([]byte, 512)
	size := uint32(len(raw))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), sctpLevel, uintptr(option), uintptr(unsafe.Pointer(&raw[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return raw[:size]
}

// sctpRetransmitted is how many chunks the kernel has sent again: sas_rtxchunks.
func sctpRetransmitted(t *testing.T, fd int) uint64 {
	t.Helper()
	return binary.NativeEndian.Uint64(getSCTP(t, fd, sctpAssociationStats)[176:])
}

// sctpUnacknowledged is how many chunks are on their way: sstat_unackdata.
func sctpUnacknowledged(t *testing.T, fd int) uint16 {
	t.Helper()
	return binary.NativeEndian.Uint16(getSCTP(t, fd, sctpStatus)[12:])
}

// until waits for what only the kernel knows.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: never came", what)
		}
	}
}
