package undertest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports below those that Linux gives to clients by itself (ip_local_port_range, 32768 to
// 60999 unless somebody sets it), so that none of these takes one before its server does.
const (
	firstPort = 10_000
	lastPort  = 32_767
)

// portTries is how many are tried before it is said that there is none.
const portTries = 1000

// Port is a port that nobody on the loopback has now, neither of TCP nor of UDP. It is listened on
// for a moment, which an agent hears that runs already: ask for it before you start one.
func Port(t testing.TB) int {
	t.Helper()
	for range portTries {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if free(fmt.Sprintf("127.0.0.1:%d", port)) {
			return port
		}
	}
	t.Fatalf("no port is free of %d to %d", firstPort, lastPort)
	return 0
}

// Addr is a loopback address with such a port.
func Addr(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", Port(t))
}

func free(address string) bool {
	l, err := net.Listen("tcp4", address)
	if err != nil {
		return false
	}
	defer l.Close()
	c, err := net.ListenPacket("udp4", address)
	if err != nil {
		return false
	}
	defer c.Close()
	return true
}
