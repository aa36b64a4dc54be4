// Package links tries agent/netconf with kinds of links that not every kernel has:
// bonds, VLANs, macvlans, tunnels. It makes them by netlink alone, so that it also runs
// in the virtual machines, where there are no programs; natively it runs in a network
// namespace of its own.
package links

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"cassini/agent/netconf"
	"cassini/kernel-tests/undertest"
	"cassini/model"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// inside marks the process that runs in a namespace of its own.
const inside = "CASSINI_LINKS_INSIDE"

func inVM() bool { return os.Getenv("CASSINI_VM") != "" }

func TestMain(m *testing.M) {
	undertest.NeedRoot("LINK", "test-privileged")
	if !inVM() && os.Getenv(inside) == "" {
		os.Exit(again())
	}
	goleak.VerifyTestMain(m)
}

// again runs the tests in a network namespace of their own.
func again() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// patience ends a wait for what never comes; it is no measure of speed.
const patience = 20 * time.Second

// rig is what netconf tells of this process's namespace.
type rig struct {
	t  *testing.T
	mu sync.Mutex
	is map[string]model.Interface
}

func start(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, is: make(map[string]model.Interface)}
	n := netconf.New(netconf.Config{Host: "web-17", Emit: r.emit, Logger: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	<-n.Ready()
	n.Publish(nil)
	return r
}

func (r *rig) emit(docs ...model.Document) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, doc := range docs {
		var i model.Interface
		if doc.Package != model.PackageNetConfig {
			continue
		}
		if err := doc.Decode(&i); err != nil {
			r.t.Errorf("document %s: %v", doc.Name, err)
		}
		r.is[doc.Key] = i
	}
}

func (r *rig) expect(name, what string, match func(model.Interface) bool) {
	r.t.Helper()
	var last model.Interface
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		r.mu.Lock()
		last = r.is[name]
		r.mu.Unlock()
		if match(last) {
			return
		}
	}
	r.t.Fatalf("%s, %s: never came; last told %+v", name, what, last)
}

// add makes a link until the test ends. false says that this kernel has none of that
// kind, which is an error in a virtual machine: its modules were loaded.
func add(t *testing.T, link netlink.Link) bool {
	t.Helper()
	err := netlink.LinkAdd(link)
	if errors.Is(err, unix.EOPNOTSUPP) && !inVM() {
		t.Logf("NOT TRIED, THIS KERNEL HAS NO SUCH LINK: %s", link.Type())
		return false
	}
	if err != nil {
		t.Fatalf("add %s %s: %v", link.Type(), link.Attrs().Name, err)
	}
	t.Cleanup(func() { _ = netlink.LinkDel(link) })
	return true
}

func do(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// pair makes a veth pair, both ends up.
func pair(t *testing.T, name, peer string) netlink.Link {
	t.Helper()
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: peer}
	add(t, veth)
	for _, end := range []string{name, peer} {
		do(t, "set up "+end, netlink.LinkSetUp(named(t, end)))
	}
	return named(t, name)
}

func named(t *testing.T, name string) netlink.Link {
	t.Helper()
	link, err := netlink.LinkByName(name)
	do(t, "find "+name, err)
	return link
}

func TestVLANs(t *testing.T) {
	r := start(t)
	parent := pair(t, "eth0", "far0")
	if !add(t, &netlink.Vlan{LinkAttrs: netlink.LinkAttrs{Name: "eth0.30", ParentIndex: parent.Attrs().Index}, VlanId: 30}) {
		return
	}
	r.expect("eth0.30", "a VLAN", func(i model.Interface) bool { return i.Kind == "vlan" && i.VLAN == 30 && i.Parent == "eth0" })
	do(t, "rename", netlink.LinkSetName(named(t, "eth0.30"), "green"))
	r.expect("green", "the same under another name", func(i model.Interface) bool { return i.VLAN == 30 && i.Parent == "eth0" })
	r.expect("eth0.30", "gone", func(i model.Interface) bool { return i.State == model.InterfaceGone })
}

func TestBondFailsOver(t *testing.T) {
	r := start(t)
	bond := netlink.NewLinkBond(netlink.LinkAttrs{Name: "bond7"})
	bond.Mode, bond.Miimon = netlink.BOND_MODE_ACTIVE_BACKUP, 10
	if !add(t, bond) {
		return
	}
	for _, name := range []string{"eth0", "eth1"} {
		slave := pair(t, name, "far"+name)
		do(t, "set down "+name, netlink.LinkSetDown(slave))
		do(t, "enslave "+name, netlink.LinkSetMaster(slave, named(t, "bond7")))
		r.expect(name, "a slave", func(i model.Interface) bool { return i.Master == "bond7" })
	}
	do(t, "set up the bond", netlink.LinkSetUp(named(t, "bond7")))
	r.expect("bond7", "carried by the first", func(i model.Interface) bool {
		return i.Kind == "bond" && i.Bond != nil && i.Bond.Mode == "active-backup" && i.Bond.Active == "eth0" && i.Carrier == 1
	})
	do(t, "cut the first", netlink.LinkSetDown(named(t, "fareth0")))
	r.expect("bond7", "carried by the second", func(i model.Interface) bool { return i.Bond.Active == "eth1" })
	do(t, "cut the second", netlink.LinkSetDown(named(t, "fareth1")))
	r.expect("bond7", "carried by none", func(i model.Interface) bool { return i.Bond.Active == "" && i.Carrier == 0 })
}

func TestMacvlansBridgesAndTunnels(t *testing.T) {
	r := start(t)
	parent := pair(t, "eth0", "far0").Attrs().Index
	on := func(name string) netlink.LinkAttrs { return netlink.LinkAttrs{Name: name, ParentIndex: parent} }
	r.expect("eth0", "one end of a pair", func(i model.Interface) bool { return i.Kind == "veth" && i.Parent == "far0" })
	if add(t, &netlink.Macvlan{LinkAttrs: on("mv0"), Mode: netlink.MACVLAN_MODE_BRIDGE}) {
		r.expect("mv0", "a macvlan", func(i model.Interface) bool { return i.Kind == "macvlan" && i.Parent == "eth0" })
	}
	if add(t, &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}}) {
		do(t, "make a port", netlink.LinkSetMaster(named(t, "far0"), named(t, "br0")))
		r.expect("far0", "a port", func(i model.Interface) bool { return i.Master == "br0" })
		r.expect("br0", "a bridge", func(i model.Interface) bool { return i.Kind == "bridge" })
	}
	if add(t, &netlink.Vxlan{LinkAttrs: netlink.LinkAttrs{Name: "vx0"}, VxlanId: 7, VtepDevIndex: parent, Port: 4789}) {
		r.expect("vx0", "a tunnel", func(i model.Interface) bool {
			return i.Kind == "vxlan" && i.Parent == "eth0" && i.Tunnel != nil && i.Tunnel.ID == 7
		})
	}
	if add(t, &netlink.Gretap{LinkAttrs: netlink.LinkAttrs{Name: "gre7"}, Local: net.IPv4(10, 0, 0, 1), Remote: net.IPv4(10, 0, 0, 2)}) {
		r.expect("gre7", "a tunnel", func(i model.Interface) bool {
			return i.Kind == "gretap" && i.Tunnel != nil && i.Tunnel.Local.String() == "10.0.0.1" && i.Tunnel.Remote.String() == "10.0.0.2"
		})
	}
}
