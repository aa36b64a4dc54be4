package capture

import (
	"net"
	"testing"
	"unsafe"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// A socket that goes from peer to peer, as resolvers do, has an edge to each of them that
// answered, however short it stays there: connected anew, or after a connect to nobody.
func TestUDPTurnsToAnother(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	servers := make([]*net.UDPConn, 4)
	for i := range servers {
		servers[i] = bind(t, "udp4", "127.0.0.1", freePort(t))
		go echo(servers[i])
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, server := range servers {
		if i == 2 {
			nobody := unix.RawSockaddrInet4{Family: unix.AF_UNSPEC}
			if _, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&nobody)), unix.SizeofSockaddrInet4); errno != 0 {
				t.Fatal(errno)
			}
		}
		askConnected(t, fd, int(udpPort(server)))
	}
	_ = unix.Close(fd)
	for i, server := range servers {
		got := r.udpEdge("connected", model.Out, udpPort(server), func(d model.Dependency) bool { return d.Open == 0 })
		if got.Connections != 1 || got.Attempts != 1 || got.Failed != 0 {
			t.Errorf("to server %d: %+v", i, got)
		}
		checkSelf(t, got.Process)
	}
}

// askConnected connects a socket of UDP to an echo on loopback, and hears it.
func askConnected(t *testing.T, fd, port int) {
	t.Helper()
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(fd, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if n, err := unix.Read(fd, make([]byte, 16)); err != nil || n != 5 {
		t.Fatalf("read %d: %v", n, err)
	}
}
