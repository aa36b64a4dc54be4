package capture

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"testing"

	"cassini/bpf"
	"cassini/model"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// wayless are addresses to which nothing leads, by what a connect says at once.
var wayless = []struct {
	to   string
	kind int // of the route there; 0: there is none
	want unix.Errno
}{
	{"10.66.0.1", 0, unix.ENETUNREACH},
	{"10.66.1.1", unix.RTN_UNREACHABLE, unix.EHOSTUNREACH},
	{"10.66.2.1", unix.RTN_PROHIBIT, unix.EACCES},
	{"10.66.3.1", unix.RTN_BLACKHOLE, unix.EINVAL},
	{"fd66::1", 0, unix.ENETUNREACH},
	{"fd66:1::1", unix.RTN_UNREACHABLE, unix.EHOSTUNREACH},
	{"fd66:2::1", unix.RTN_PROHIBIT, unix.EACCES},
	{"fd66:3::1", unix.RTN_BLACKHOLE, unix.EINVAL},
	{"::ffff:10.66.0.2", 0, unix.ENETUNREACH},
	{"::ffff:10.66.1.2", unix.RTN_UNREACHABLE, unix.EHOSTUNREACH},
}

const (
	waylessPort = 6600
	// Of those that are counted otherwise, in the same network namespace.
	refusedPort = 6700
	lastPort    = 6701
)

// routeTo adds a route to one address in this network namespace.
func routeTo(t *testing.T, to netip.Addr, kind int) {
	t.Helper()
	to = to.Unmap()
	dst := &net.IPNet{IP: to.AsSlice(), Mask: net.CIDRMask(to.BitLen(), to.BitLen())}
	if err := netlink.RouteAdd(&netlink.Route{Dst: dst, Type: kind}); err != nil {
		t.Errorf("route to %v: %v", to, err)
	}
}

// connectTCP connects once and reports whether that ended as it should; it returns the socket.
func connectTCP(t *testing.T, protocol int, to netip.AddrPort, want error) int {
	t.Helper()
	family := unix.AF_INET
	if to.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	again(t, fd, to, want)
	return fd
}

func again(t *testing.T, fd int, to netip.AddrPort, want error) {
	t.Helper()
	if err := uninterrupted(func() error { return unix.Connect(fd, sockaddr(to)) }); !errors.Is(err, want) {
		t.Errorf("connect to %v: %v, want %v", to, err, want)
	}
}

// told waits for what a port of this process counts.
func (r *rig) told(port uint16, want func(model.Dependency) bool) model.Dependency {
	r.t.Helper()
	return r.settled("port "+strconv.Itoa(int(port)), func(d model.Dependency) bool { return d.Port == port && d.Proto == "tcp" && d.Direction == model.Out }, want)
}

// unreachable looks for attempts of which all failed at once.
func (r *rig) unreachable(port uint16, to string, n uint64) {
	r.t.Helper()
	d := r.told(port, func(d model.Dependency) bool { return d.Attempts >= n && d.Failed >= n })
	if d.Attempts != n || d.Failed != n || d.Unreachable != n || d.Connections != 0 || d.Open != 0 || d.Server != netip.MustParseAddr(to).Unmap() || !d.Client.IsUnspecified() {
		r.t.Errorf("%s: %v -> %v, %+v; want %d unreachable", to, d.Client, d.Server, d.Counters, n)
	}
	checkSelf(r.t, d.Process)
}

// startUnsent says too whether the kernel tells of attempts that fail before anything is sent.
func startUnsent(t *testing.T) (*rig, bool) {
	t.Helper()
	r := startUDP(t, bpf.Limits{})
	err := r.kernel.Unsent()
	if err != nil && inVM() {
		t.Fatalf("this kernel has trampolines: %v", err)
	}
	return r, err == nil
}

// Attempts that fail before anything is sent are unreachable, over plain sockets and those of MPTCP, which
// goes by TCP's functions, and as often as one socket tries. Where no kernel's program hears of them it is
// said so, and nothing is told.
func TestNoRoute(t *testing.T) {
	r, heard := startUnsent(t)
	const each = 3
	inNetns(t, func() {
		for i, c := range wayless {
			to := netip.AddrPortFrom(netip.MustParseAddr(c.to), uint16(waylessPort+i))
			if c.kind != 0 {
				routeTo(t, to.Addr(), c.kind)
			}
			fd := connectTCP(t, unix.IPPROTO_TCP, to, c.want)
			for range each - 1 {
				again(t, fd, to, c.want)
			}
			connectTCP(t, unix.IPPROTO_MPTCP, to, c.want)
		}
		connectTCP(t, unix.IPPROTO_TCP, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), lastPort), unix.ECONNREFUSED)
	})
	r.told(lastPort, func(d model.Dependency) bool { return d.Refused == 1 })
	for i, c := range wayless {
		port := uint16(waylessPort + i)
		if heard {
			r.unreachable(port, c.to, each+1)
		} else if all := bodies(r, model.PackageDependencies, func(d model.Dependency) bool { return d.Port == port }); len(all) != 0 {
			t.Errorf("nobody tells of them, but: %+v", all)
		}
	}
}

// What fails after the socket has changed its state is counted once, as before: refused, and when no
// local port is left, in the same call. The same socket may find no route afterwards.
func TestNoRouteIsNotCountedTwice(t *testing.T) {
	r, heard := startUnsent(t)
	inNetns(t, func() {
		l := listen(t, "tcp4", "127.0.0.1:"+strconv.Itoa(lastPort), false)
		local := func(a string, port uint16) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(a), port) }
		fds := []int{
			connectTCP(t, unix.IPPROTO_TCP, local("127.0.0.1", refusedPort), unix.ECONNREFUSED),
			connectTCP(t, unix.IPPROTO_TCP, local("::1", refusedPort+10), unix.ECONNREFUSED),
			connectTCP(t, unix.IPPROTO_MPTCP, local("127.0.0.1", refusedPort+20), unix.ECONNREFUSED),
			connectTCP(t, unix.IPPROTO_TCP, local("::ffff:127.0.0.1", refusedPort+30), unix.ECONNREFUSED),
		}
		for range 2 { // one after the other, as one hides the other where its socket is taken for it
			again(t, fds[0], local("10.66.0.1", waylessPort), unix.ENETUNREACH)
			again(t, fds[0], local("127.0.0.1", refusedPort), unix.ECONNREFUSED)
		}
		if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("40000 40000"), 0); err != nil {
			t.Error(err)
		}
		to := netip.MustParseAddrPort(l.Addr().String())
		connectTCP(t, unix.IPPROTO_TCP, to, nil)
		full := connectTCP(t, unix.IPPROTO_TCP, to, unix.EADDRNOTAVAIL)
		again(t, full, local("10.66.0.1", waylessPort+1), unix.ENETUNREACH)
		again(t, full, to, unix.EADDRNOTAVAIL)
	})
	for port, n := range map[uint16]uint64{refusedPort: 3, refusedPort + 10: 1, refusedPort + 20: 1, refusedPort + 30: 1} {
		d := r.told(port, func(d model.Dependency) bool { return d.Refused >= n })
		if d.Attempts != n || d.Refused != n || d.Failed != n {
			t.Errorf("refused: %+v, want %d", d.Counters, n)
		}
	}
	d := r.told(lastPort, func(d model.Dependency) bool { return d.Failed >= 2 && d.Connections == 1 })
	if d.Attempts != 3 || d.Failed != 2 || d.Aborted != 2 {
		t.Errorf("no local port: %+v, want 2 failed", d.Counters)
	}
	if heard {
		r.unreachable(waylessPort, "10.66.0.1", 2)
		r.unreachable(waylessPort+1, "10.66.0.1", 1)
	}
}

// What a program of a cgroup forbids is unreachable; what it says is refused is so.
func TestForbiddenByCgroup(t *testing.T) {
	r, heard := startUnsent(t)
	if !heard {
		notTested(t, "attempts that send nothing are not told: %v", r.kernel.Unsent())
	}
	const port = refusedPort + 40
	forbid(t, ebpf.AttachCGroupInet4Connect, port)
	forbid(t, ebpf.AttachCGroupInet6Connect, port+1)
	inNetns(t, func() {
		for range 2 {
			connectTCP(t, unix.IPPROTO_TCP, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port), unix.EPERM)
			connectTCP(t, unix.IPPROTO_TCP, netip.AddrPortFrom(netip.MustParseAddr("::1"), port+1), unix.EPERM)
		}
	})
	r.unreachable(port, "127.0.0.1", 2)
	r.unreachable(port+1, "::1", 2)
}

// forbid has a program at the root of the cgroup v2 forbid to connect to a port.
func forbid(t *testing.T, at ebpf.AttachType, port uint16) {
	t.Helper()
	const userPort = 24 // struct bpf_sock_addr, in network byte order
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.CGroupSockAddr, AttachType: at, License: "GPL",
		Instructions: asm.Instructions{
			asm.LoadMem(asm.R2, asm.R1, userPort, asm.Word),
			asm.Mov.Imm(asm.R0, 1),
			asm.JNE.Imm32(asm.R2, int32(binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, port))), "out"),
			asm.Mov.Imm(asm.R0, 0),
			asm.Return().WithSymbol("out"),
		},
	})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	t.Cleanup(func() { _ = program.Close() })
	attached, err := link.AttachCgroup(link.CgroupOptions{Path: cgroupRoots(t)[0], Attach: at, Program: program})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = attached.Close() })
}
