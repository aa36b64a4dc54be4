package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"

	"cassini/model/wire"

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

// isPending says that an error is of an earlier datagram, told by the next call: one of
// those that the kernel makes of ICMP (icmp_err_convert, icmpv6_err_convert), or that
// passes as well. Everybody can send ICMP, so that none of it may end anything.
func isPending(err error) bool {
	for _, pending := range []error{
		unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EHOSTDOWN, unix.ENONET, unix.EACCES, unix.ENOPROTOOPT,
		unix.EPROTO, unix.EMSGSIZE, unix.EPERM, unix.EOPNOTSUPP, unix.ENETDOWN, unix.ENOBUFS, unix.ENOMEM,
	} {
		if errors.Is(err, pending) {
			return true
		}
	}
	return false
}

// maxPending errors are taken at one time before datagrams have their turn.
const maxPending = 64

// look has Run look for errors: a call to send was told of one, and took the sign of it
// from the reader.
func (e *Endpoint) look() {
	select {
	case e.pending <- struct{}{}:
	default:
	}
}

// lookAgain looks for errors whenever look was called.
func (e *Endpoint) lookAgain(ctx context.Context, h Handler, calls *sync.Mutex) {
	for {
		select {
		case <-e.pending:
			e.tellRefusals(h, calls)
		case <-ctx.Done():
			return
		}
	}
}

// tellRefusals takes errors from the socket's queue, and tells where nothing listens.
// Those that are left set the socket's error again.
func (e *Endpoint) tellRefusals(h Handler, calls *sync.Mutex) {
	for range maxPending {
		addr, more := e.refusal()
		if !more {
			return
		}
		if addr.IsValid() {
			calls.Lock()
			h.Refused(addr)
			calls.Unlock()
		}
	}
	e.look()
}

// refusal takes one error from the socket's queue. The address is valid where its own
// kernel answered a datagram of this host's.
func (e *Endpoint) refusal() (refused netip.AddrPort, more bool) {
	var quoted [wire.HeaderSize]byte
	var control [512]byte
	err := e.sender.control(func(fd int) error {
		n, oob, _, from, err := unix.Recvmsg(fd, quoted[:], control[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if err != nil {
			return err
		}
		if addr := addrOf(from); isRefusal(control[:oob], addr.Addr()) && e.isOwn(quoted[:n]) {
			refused = addr
		}
		return nil
	})
	return refused, err == nil
}

// isOwn says whether the beginning of a datagram, as an error quotes it, is of one that
// this host has the keys for: others who send such errors do not know its tag.
func (e *Endpoint) isOwn(quoted []byte) bool {
	h, err := wire.ParseHeader(quoted)
	if err != nil {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if h.Type == wire.Heartbeat {
		for _, b := range e.beats {
			if b.set == h.Set {
				return b.id == h.Key && wire.CheckTag(quoted, b.tag) == nil
			}
		}
		return false
	}
	_, err = e.rings.tagged(quoted, h)
	return err == nil
}

// extended is struct sock_extended_err (uapi/linux/errqueue.h) as far as it is used: the
// errno first, and behind it the address of who says so.
const extended = 16

// isRefusal looks for a port that is unreachable, as the kernel of the address itself
// says: a firewall on the way knows nothing of the agent.
func isRefusal(control []byte, at netip.Addr) bool {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return false
	}
	for _, m := range messages {
		ours := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR || m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if ours && len(m.Data) >= extended && unix.Errno(binary.NativeEndian.Uint32(m.Data)) == unix.ECONNREFUSED {
			return offender(m.Data[extended:]) == at
		}
	}
	return false
}

// offender reads a struct sockaddr_in or sockaddr_in6.
func offender(b []byte) netip.Addr {
	if len(b) < 8 {
		return netip.Addr{}
	}
	switch family := binary.NativeEndian.Uint16(b); {
	case family == unix.AF_INET:
		return netip.AddrFrom4([4]byte(b[4:8]))
	case family == unix.AF_INET6 && len(b) >= 24:
		return netip.AddrFrom16([16]byte(b[8:24])).Unmap()
	}
	return netip.Addr{}
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
