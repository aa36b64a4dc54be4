package transport

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"
)

// wantErrors asks the kernel to keep ICMP errors with the address that they are about
// (ip(7), IP_RECVERR).
func wantErrors(fd int) error {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return err
	}
	if domain == unix.AF_INET6 {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1)
	}
	return errors.Join(err, unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_RECVERR, 1))
}

// isPending says that an error is of an earlier datagram, told by the next call.
func isPending(err error) bool {
	for _, pending := range []error{
		unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EHOSTDOWN, unix.EACCES, unix.ENOPROTOOPT, unix.EPROTO, unix.EMSGSIZE, unix.EPERM, unix.EOPNOTSUPP,
	} {
		if errors.Is(err, pending) {
			return true
		}
	}
	return false
}

// refusals empties the error queue, and tells where nothing listens.
func (e *Endpoint) refusals(tell func(netip.AddrPort)) {
	var buf [64]byte
	control := make([]byte, 512)
	for more := true; more; {
		var refused netip.AddrPort
		err := e.control(func(fd int) error {
			_, n, _, from, err := unix.Recvmsg(fd, buf[:], control, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
			if err != nil {
				more = false
				return nil
			}
			if isRefusal(control[:n]) {
				refused = addrOf(from)
			}
			return nil
		})
		if err != nil {
			return
		}
		if refused.IsValid() {
			tell(refused)
		}
	}
}

// isRefusal looks for a port that is unreachable in struct sock_extended_err
// (uapi/linux/errqueue.h): the errno first, then where it comes from.
func isRefusal(control []byte) bool {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return false
	}
	for _, m := range messages {
		ours := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR || m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if ours && len(m.Data) >= 8 && unix.Errno(binary.NativeEndian.Uint32(m.Data)) == unix.ECONNREFUSED {
			return true
		}
	}
	return false
}

func addrOf(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))
	}
	return netip.AddrPort{}
}
