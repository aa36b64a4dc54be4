package transport

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sender sends datagrams on a non-blocking socket by sendto(2) without telling Go's
// scheduler. Each call that is told wakes the scheduler's monitor from an idle program's
// sleep, and that costs more than to send: half of what a member of rings spent.
type sender struct {
	udp *net.UDPConn
	raw syscall.RawConn
	six bool // the socket is of AF_INET6
}

func newSender(udp *net.UDPConn) (*sender, error) {
	raw, err := udp.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &sender{udp: udp, raw: raw}
	return s, s.control(func(fd int) error {
		domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
		s.six = domain == unix.AF_INET6
		return err
	})
}

func (s *sender) control(do func(fd int) error) (err error) {
	if done := s.raw.Control(func(fd uintptr) { err = do(int(fd)) }); done != nil {
		return done
	}
	return err
}

// send waits only where the socket's buffer is full, and is slower to link-local
// addresses of IPv6, whose interface is looked up.
func (s *sender) send(b []byte, to netip.AddrPort) error {
	addr := to.Addr()
	if len(b) > 0 && addr.Zone() == "" && (s.six || addr.Unmap().Is4()) {
		err := s.control(func(fd int) error { return sendto(fd, b, to, s.six) })
		if !errors.Is(err, unix.EAGAIN) {
			return err
		}
	}
	_, err := s.udp.WriteToUDPAddrPort(b, to)
	return err
}

func sendto(fd int, b []byte, to netip.AddrPort, six bool) error {
	var sa [unix.SizeofSockaddrInet6]byte
	n := encode(&sa, to, six)
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&sa)), uintptr(n))
	runtime.KeepAlive(b)
	if errno != 0 {
		return errno
	}
	return nil
}

// encode writes a struct sockaddr_in or sockaddr_in6 and returns its bytes (ip(7), ipv6(7)).
func encode(sa *[unix.SizeofSockaddrInet6]byte, to netip.AddrPort, six bool) int {
	binary.BigEndian.PutUint16(sa[2:], to.Port())
	if six {
		binary.NativeEndian.PutUint16(sa[:], unix.AF_INET6)
		ip := to.Addr().As16()
		copy(sa[8:], ip[:])
		return unix.SizeofSockaddrInet6
	}
	binary.NativeEndian.PutUint16(sa[:], unix.AF_INET)
	ip := to.Addr().Unmap().As4()
	copy(sa[4:], ip[:])
	return unix.SizeofSockaddrInet4
}
