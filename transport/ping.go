package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"

	"cassini/model/wire"

	"golang.org/x/sys/unix"
)

// pinger sends ICMP echo requests (RFC 792, RFC 4443). A filter lets only answers to its
// own identifier through, so that others' pings wake nobody.
type pinger struct {
	v4, v6 *net.IPConn // v6 is nil where there is none
	id     uint16
	key    wire.TagKey // others who answer in an address's place do not know it
	mu     sync.Mutex
	seq    uint16
}

const (
	echoRequest4, echoReply4 = 8, 0
	echoRequest6, echoReply6 = 128, 129
	echoSize                 = 16
)

func openPinger() (*pinger, error) {
	p := &pinger{id: uint16(rand.Uint32()), key: wire.TagKey{K0: rand.Uint64(), K1: rand.Uint64()}}
	v4, err := net.ListenIP("ip4:icmp", &net.IPAddr{})
	if err != nil {
		return nil, fmt.Errorf("open a raw ICMP socket: %w", err)
	}
	p.v4 = v4
	if v6, err := net.ListenIP("ip6:ipv6-icmp", &net.IPAddr{IP: net.IPv6unspecified}); err == nil {
		p.v6 = v6
	}
	if err := errors.Join(filter(p.v4, p.filter4()), filter(p.v6, p.filter6())); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// filter4 sees the IPv4 header: its length is found first (4*([0]&0xf)).
func (p *pinger) filter4() []unix.SockFilter {
	return []unix.SockFilter{
		{Code: unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH, K: 0},
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_IND, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: echoReply4, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_IND, K: 4},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(p.id), Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 128},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
}

// filter6 sees the ICMPv6 message alone.
func (p *pinger) filter6() []unix.SockFilter {
	return []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: echoReply6, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: 4},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(p.id), Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 128},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
}

func filter(conn *net.IPConn, program []unix.SockFilter) error {
	if conn == nil {
		return nil
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	var attached error
	err = raw.Control(func(fd uintptr) {
		attached = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog)
	})
	if err := errors.Join(err, attached); err != nil {
		return fmt.Errorf("filter ICMP: %w", err)
	}
	return nil
}

func (p *pinger) ping(to netip.Addr) {
	p.mu.Lock()
	p.seq++
	seq := p.seq
	p.mu.Unlock()
	conn, b := p.v4, make([]byte, echoSize)
	b[0] = echoRequest4
	if to.Is6() && !to.Is4In6() {
		conn, b[0] = p.v6, echoRequest6 // the kernel sums up
	}
	if conn == nil {
		return
	}
	binary.BigEndian.PutUint16(b[4:], p.id)
	binary.BigEndian.PutUint16(b[6:], seq)
	binary.LittleEndian.PutUint64(b[8:], p.tag(to))
	if conn == p.v4 {
		binary.BigEndian.PutUint16(b[2:], checksum(b))
	}
	_, _ = conn.WriteToIP(b, &net.IPAddr{IP: to.Unmap().AsSlice(), Zone: to.Zone()}) // no answer says it all
}

// tag is what an address has to send back.
func (p *pinger) tag(to netip.Addr) uint64 {
	b := to.Unmap().WithZone("").As16()
	return p.key.Tag(b[:])
}

// isAnswer says whether a message is what a ping of an address brings. What came before
// the filter was there may be anything.
func (p *pinger) isAnswer(b []byte, from netip.Addr) bool {
	kind := byte(echoReply4)
	if !from.Unmap().Is4() {
		kind = echoReply6
	}
	return len(b) == echoSize && b[0] == kind && binary.BigEndian.Uint16(b[4:]) == p.id && binary.LittleEndian.Uint64(b[8:]) == p.tag(from)
}

// checksum is RFC 1071's, of an even number of bytes.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	sum = sum>>16 + sum&0xffff
	return ^uint16(sum + sum>>16)
}

// run tells of answers until close.
func (p *pinger) run(tell func(netip.Addr)) {
	var both sync.WaitGroup
	for _, conn := range []*net.IPConn{p.v4, p.v6} {
		if conn == nil {
			continue
		}
		both.Go(func() {
			buf := make([]byte, 256)
			for {
				n, from, err := conn.ReadFromIP(buf)
				if err != nil && !isPending(err) {
					return // closed
				}
				if err != nil {
					continue
				}
				if addr, ok := netip.AddrFromSlice(from.IP); ok && p.isAnswer(buf[:n], addr) {
					tell(addr.Unmap())
				}
			}
		})
	}
	both.Wait()
}

func (p *pinger) close() error {
	err := p.v4.Close()
	if p.v6 != nil {
		err = errors.Join(err, p.v6.Close())
	}
	return err
}
