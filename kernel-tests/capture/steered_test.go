package capture

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"

	"cassini/bpf"
	"cassini/model"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// A transparent proxy accepts what was dialled elsewhere: at a port where nobody listens, and at
// one where another socket does. Its connections are its own, at the address that was dialled, be
// it older than the agent or not.
func TestSteeredToAProxy(t *testing.T) {
	for _, older := range []bool{false, true} {
		t.Run("older "+strconv.FormatBool(older), func(t *testing.T) {
			var r *rig
			if !older {
				r = start(t, bpf.Limits{})
			}
			var dialled *net.TCPAddr
			inNetns(t, func() {
				proxy := listenTransparent(t)
				dialled = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2), Port: int(portOf(proxy)) ^ 1}
				steer(t, proxy, uint32(dialled.Port))
				if older {
					r = start(t, bpf.Limits{})
				}
				talk(t, proxy, dialled.String(), 3)
			})
			for _, direction := range []model.Direction{model.In, model.Out} {
				got := r.dependency(string(direction), func(d model.Dependency) bool {
					return int(d.Port) == dialled.Port && d.Direction == direction && d.Closed == 3
				})
				if got.Connections != 3 || got.Server.String() != "127.0.0.2" || got.PID != os.Getpid() {
					t.Errorf("%s: %+v", direction, got)
				}
			}
		})
	}
}

// listenTransparent listens as proxies do for which packets are steered.
func listenTransparent(t *testing.T) *net.TCPListener {
	t.Helper()
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return errors.Join(c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_TRANSPARENT, 1)
		}), err)
	}}
	config.SetMultipathTCP(false)
	l, err := config.Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.(*net.TCPListener)
}

// steer brings what is dialled in this network namespace at a port to a listener elsewhere. It
// takes no table of addresses, which kernels may lack: a program looks sockets up.
func steer(t *testing.T, to *net.TCPListener, port uint32) {
	t.Helper()
	sockets, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.SockMap, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sockets.Close() })
	file, err := to.File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := sockets.Put(uint32(0), uint64(file.Fd())); err != nil {
		t.Fatal(err)
	}
	const localPort = 60 // struct bpf_sk_lookup
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.SkLookup, AttachType: ebpf.AttachSkLookup, License: "GPL",
		Instructions: asm.Instructions{
			asm.Mov.Reg(asm.R6, asm.R1),
			asm.LoadMem(asm.R2, asm.R1, localPort, asm.Word),
			asm.JNE.Imm32(asm.R2, int32(port), "out"),
			asm.StoreImm(asm.RFP, -4, 0, asm.Word),
			asm.LoadMapPtr(asm.R1, sockets.FD()),
			asm.Mov.Reg(asm.R2, asm.RFP),
			asm.Add.Imm(asm.R2, -4),
			asm.FnMapLookupElem.Call(),
			asm.JEq.Imm(asm.R0, 0, "out"),
			asm.Mov.Reg(asm.R7, asm.R0),
			asm.Mov.Reg(asm.R1, asm.R6),
			asm.Mov.Reg(asm.R2, asm.R7),
			asm.Mov.Imm(asm.R3, 0),
			asm.FnSkAssign.Call(),
			asm.Mov.Reg(asm.R1, asm.R7),
			asm.FnSkRelease.Call(),
			asm.Mov.Imm(asm.R0, 1).WithSymbol("out"),
			asm.Return(),
		},
	})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	t.Cleanup(func() { _ = program.Close() })
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	attached, err := link.AttachNetNs(int(here.Fd()), program)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = attached.Close() })
}
