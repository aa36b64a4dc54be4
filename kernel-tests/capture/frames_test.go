package capture

import (
	"encoding/binary"
	"errors"
	"net"
	"testing"
	"time"

	"cassini/bpf"

	"golang.org/x/sys/unix"
)

// The filter of discovery frames loads on this kernel, lets LLDP and CDP pass, and
// nothing else. kernel-tests/frames tries the rest, where there is lldpd.
func TestFilterOfDiscoveryFrames(t *testing.T) {
	filter, err := bpf.OpenFrames()
	if err != nil {
		t.Fatalf("%+v", err)
	}
	defer func() { _ = filter.Close() }()
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	all := binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL})
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := filter.Attach(fd); err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: lo.Index}); err != nil {
		t.Fatal(err)
	}
	frame := func(rest ...byte) []byte {
		header := []byte{0x01, 0x80, 0xc2, 0, 0, 0x0e, 2, 0, 0, 0, 0, 1}
		return append(append(header, rest...), make([]byte, 60)...)
	}
	for _, f := range [][]byte{
		frame(0x08, 0x00, 0x45),                                                    // IPv4
		frame(0x00, 0x40, 0x42, 0x42, 0x03, 0, 0, 0, 0, 0),                         // spanning tree
		frame(0x88, 0xcc, 0xaa, 1),                                                 // LLDP
		frame(0x81, 0x00, 0x00, 0x07, 0x88, 0xcc, 0xaa, 2),                         // LLDP behind a tag
		frame(0x00, 0x40, 0xaa, 0xaa, 0x03, 0x00, 0x00, 0x0c, 0x20, 0x00, 0xaa, 3), // CDP
	} {
		if err := unix.Sendto(fd, f, 0, &unix.SockaddrLinklayer{Ifindex: lo.Index}); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 2048)
	for want := byte(1); want <= 3; want++ {
		var n int
		for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			if n, _, err = unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT); !errors.Is(err, unix.EAGAIN) || time.Now().After(deadline) {
				break
			}
		}
		if err != nil {
			t.Fatalf("frame %d: %v", want, err)
		}
		marked := false
		for i := 13; i < n; i++ {
			marked = marked || buf[i-1] == 0xaa && buf[i] == want
		}
		if !marked {
			t.Errorf("frame %d did not pass, but %x did", want, buf[:n])
		}
	}
	if c, err := filter.Counters(); err != nil || c.Lldp != 2 || c.Cdp != 1 || c.Limited != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}
