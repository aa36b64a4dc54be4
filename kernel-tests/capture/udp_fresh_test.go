package capture

import (
	"net"
	"net/netip"
	"testing"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// A resolver binds a socket to a port of its choice for each question: none of them is a service,
// however long the answer takes. One that somebody asks is.
func TestUDPSocketsOfAResolver(t *testing.T) {
	const questions = 20
	r := startUDP(t, bpf.Limits{})
	server := bind(t, "udp4", "127.0.0.1", freePort(t))
	go echo(server)
	to := server.LocalAddr().(*net.UDPAddr).AddrPort()
	sockets := map[uint16]bool{}
	for i := range questions {
		port := freePort(t)
		sockets[uint16(port)] = true
		if i%2 == 0 {
			c := bind(t, "udp4", "127.0.0.1", port) // as unbound
			ask(t, c, to)
			_ = c.Close()
			continue
		}
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0) // as BIND
		if err == nil {
			err = unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
		}
		if err != nil {
			t.Fatal(err)
		}
		askConnected(t, fd, int(to.Port()))
		_ = unix.Close(fd)
	}
	silent := bind(t, "udp4", "127.0.0.2", freePort(t))
	slow := bind(t, "udp4", "127.0.0.3", freePort(t))
	for _, to := range []*net.UDPConn{silent, server} {
		if _, err := slow.WriteToUDPAddrPort([]byte("x"), to.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
			t.Fatal(err)
		}
	}
	hear(t, slow)
	sockets[udpPort(slow)] = true
	later := bind(t, "udp4", "127.0.0.1", freePort(t))
	r.listener("a service that began later", func(l model.Listener) bool { return l.Proto == "udp" && l.Port == udpPort(later) })
	for _, l := range bodies(r, model.PackageListeners, func(l model.Listener) bool { return l.Proto == "udp" && sockets[l.Port] }) {
		t.Errorf("a resolver's socket was taken for a service: %+v", l)
	}
	for addr, n := range map[string]uint64{"127.0.0.1": questions, "127.0.0.3": 1} {
		r.udpEdge("its questions", model.Out, to.Port(), func(d model.Dependency) bool {
			return d.Client == netip.MustParseAddr(addr) && d.Connections == n && d.Open == 0
		})
	}
	go echo(slow)
	ask(t, later, slow.LocalAddr().(*net.UDPAddr).AddrPort())
	r.listener("asked", func(l model.Listener) bool { return l.Proto == "udp" && l.Port == udpPort(slow) })
}
