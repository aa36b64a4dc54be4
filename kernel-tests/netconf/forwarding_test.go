package netconf

import (
	"net"
	"testing"
	"time"

	"cassini/agent/netns"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// sendFrom sends a frame of a hardware address by an interface of a namespace.
func sendFrom(t *testing.T, ns, iface string, mac byte) {
	t.Helper()
	spaces, err := netns.List()
	if err != nil {
		t.Fatal(err)
	}
	frame := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, mac, 0x88, 0xb5}, make([]byte, 46)...)
	for _, s := range spaces {
		if s.Name != ns {
			continue
		}
		err := s.Do(func() error {
			i, err := net.InterfaceByName(iface)
			if err != nil {
				return err
			}
			fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer func() { _ = unix.Close(fd) }()
			return unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: i.Index})
		})
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("no namespace %s", ns)
}

func (r *rig) expectBehind(key, port string) (f model.Forwarding) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		r.mu.Lock()
		f = r.behind[key]
		r.mu.Unlock()
		if f.Port == port {
			return f
		}
	}
	r.t.Fatalf("%s behind %q: never came; told %+v", key, port, r.behind)
	return f
}

// What a bridge learned before the start, what it learns, a machine that moves to
// another port, and a port that goes.
func TestForwarding(t *testing.T) {
	sw, far := namespace(t, "sw"), namespace(t, "far")
	ip(t, "-n "+sw+" link add br0 type bridge")
	ip(t, "-n "+sw+" link set br0 up")
	for _, port := range []string{"p1", "p2"} {
		ip(t, "-n "+sw+" link add "+port+" type veth peer name "+port+" netns "+far)
		ip(t, "-n "+sw+" link set "+port+" up master br0")
		ip(t, "-n "+far+" link set "+port+" up")
	}
	sendFrom(t, far, "p1", 8)
	r := start(t)
	r.expectBehind("br0/02:00:00:00:00:08@"+sw, "p1")
	sendFrom(t, far, "p1", 9)
	r.expectBehind("br0/02:00:00:00:00:09@"+sw, "p1")
	sendFrom(t, far, "p2", 9)
	if f := r.expectBehind("br0/02:00:00:00:00:09@"+sw, "p2"); f.Before != "p1" || f.Bridge != "br0" {
		t.Errorf("%+v", f)
	}
	sendFrom(t, far, "p2", 9) // nothing new
	ip(t, "-n "+sw+" link del p2")
	r.expectBehind("br0/02:00:00:00:00:09@"+sw, "")
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := r.told["behind br0/02:00:00:00:00:09@"+sw]; n != 3 {
		t.Errorf("told %d times", n)
	}
}
