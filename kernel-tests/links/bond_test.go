package links

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"cassini/agent/frames"
	"cassini/agent/frames/socket"
	"cassini/agent/frames/wire/frametest"
	"cassini/agent/netconf"
	"cassini/agent/netns"
	"cassini/bpf"
	"cassini/model"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ears are the interfaces of this process's namespace on which neighbors are heard.
type ears struct {
	*frames.Frames
	mu    sync.Mutex
	heard []string
}

func (e *ears) emit(docs ...model.Document) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, doc := range docs {
		var n model.Neighbor
		if doc.Decode(&n) == nil && n.State == model.NeighborPresent {
			e.heard = append(e.heard, n.Interface)
		}
	}
}

func listen(t *testing.T) *ears {
	t.Helper()
	e := &ears{}
	e.Frames = frames.New(frames.Config{Host: "web-17", Emit: e.emit, Logger: slog.New(slog.DiscardHandler),
		Open: func(ns netns.Namespace) (frames.Socket, error) {
			filter, err := bpf.OpenFrames()
			if err != nil {
				return nil, err
			}
			return socket.Open(filter, ns.Do)
		}})
	e.Publish(nil)
	links := netconf.New(netconf.Config{Host: "web-17", Emit: func(...model.Document) {}, Logger: slog.New(slog.DiscardHandler),
		Links: func(ns netns.Namespace, i model.Interface) {
			if ns.Name == "" {
				e.Link(ns, i)
			}
		}})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{e.Run, links.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	<-links.Ready()
	return e
}

// expect puts a CDP frame on a cable until it is heard on an interface.
func (e *ears) expect(t *testing.T, from, on string) {
	t.Helper()
	i, err := net.InterfaceByName(from)
	do(t, "find "+from, err)
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	do(t, "open a packet socket", err)
	defer func() { _ = unix.Close(fd) }()
	frame := frametest.CDPFull()[0].Data // LLDP's group is link-local, and passed on as it is
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		do(t, "send", unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: i.Index}))
		e.mu.Lock()
		heard := slices.Contains(e.heard, on)
		e.mu.Unlock()
		if heard {
			return
		}
	}
	t.Fatalf("%s: never heard; heard on %v", on, e.heard)
}

// The slave that does not carry is heard as well: the kernel hands what comes in there
// only to sockets of that slave (drivers/net/bonding/bond_main.c, bond_handle_frame).
func TestBothSlavesOfABondAreHeard(t *testing.T) {
	bond := netlink.NewLinkBond(netlink.LinkAttrs{Name: "bond8"})
	bond.Mode, bond.Miimon = netlink.BOND_MODE_ACTIVE_BACKUP, 10
	if !add(t, bond) {
		return
	}
	e := listen(t)
	for _, name := range []string{"eth2", "eth3"} {
		slave := pair(t, name, "far"+name)
		do(t, "set down "+name, netlink.LinkSetDown(slave))
		do(t, "enslave "+name, netlink.LinkSetMaster(slave, named(t, "bond8")))
	}
	do(t, "set up the bond", netlink.LinkSetUp(named(t, "bond8")))
	e.expect(t, "fareth2", "eth2")
	e.expect(t, "fareth3", "eth3")
	e.mu.Lock()
	defer e.mu.Unlock()
	if slices.Contains(e.heard, "bond8") {
		t.Errorf("heard on %v", e.heard)
	}
}
