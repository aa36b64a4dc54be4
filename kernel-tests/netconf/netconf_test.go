// Package netconf tries the netlink side on the running kernel: links, addresses
// and routes in network namespaces of the test's own.
package netconf

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/agent/netconf"
	"cassini/agent/netns"
	"cassini/agent/strangers"
	"cassini/kernel-tests/undertest"
	"cassini/model"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	undertest.NeedRoot("NETLINK", "test-privileged")
	goleak.VerifyTestMain(m)
}

// patience ends a wait for what never comes; it is no measure of speed.
const patience = 20 * time.Second

type rig struct {
	*netconf.NetConf
	t      *testing.T
	mu     sync.Mutex
	latest map[string]model.Interface
	told   map[string]int
	seen   map[string]model.Seen
	behind map[string]model.Forwarding
	routes map[string]model.Route
	rules  map[string]model.Rule
}

func (r *rig) emit(docs ...model.Document) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, doc := range docs {
		if doc.Package == model.PackageSeen {
			var s model.Seen
			if err := doc.Decode(&s); err != nil {
				r.t.Errorf("document %s: %v", doc.Name, err)
			}
			r.seen[doc.Key] = s
			r.told["seen "+doc.Key]++
			continue
		}
		if r.routing(doc) {
			continue
		}
		if doc.Package == model.PackageForwarding {
			var f model.Forwarding
			if err := doc.Decode(&f); err != nil && !doc.Gone() {
				r.t.Errorf("document %s: %v", doc.Name, err)
			}
			r.behind[doc.Key] = f
			r.told["behind "+doc.Key]++
			continue
		}
		var i model.Interface
		if err := doc.Decode(&i); err != nil {
			r.t.Errorf("document %s: %v", doc.Name, err)
		}
		r.latest[doc.Key] = i
		r.told[doc.Key]++
	}
}

func start(t *testing.T, remembered ...model.Document) *rig {
	t.Helper()
	return startWith(t, 0, remembered...)
}

// startWith listens with a receive buffer of a size; 0 is the default.
func startWith(t *testing.T, buffer int, remembered ...model.Document) *rig {
	t.Helper()
	r := &rig{t: t, latest: make(map[string]model.Interface), told: make(map[string]int), seen: make(map[string]model.Seen), behind: make(map[string]model.Forwarding),
		routes: make(map[string]model.Route), rules: make(map[string]model.Rule)}
	others := strangers.New(strangers.Config{Host: "web-17", Emit: r.emit, Logger: slog.New(slog.DiscardHandler)})
	r.NetConf = netconf.New(netconf.Config{Host: "web-17", Emit: r.emit, Logger: slog.New(slog.DiscardHandler), ReceiveBuffer: buffer, Met: others.Meet, Learned: others.Learn,
		Links: func(_ netns.Namespace, i model.Interface) { others.Link(i) }})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	select {
	case <-r.Ready():
	case err := <-done:
		done <- err
		t.Fatalf("ended: %v", err)
	}
	r.Publish(remembered)
	others.Publish(remembered)
	return r
}

func (r *rig) expect(key, what string, match func(model.Interface) bool) model.Interface {
	r.t.Helper()
	var last model.Interface
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		r.mu.Lock()
		i, there := r.latest[key]
		r.mu.Unlock()
		if last = i; there && match(i) {
			return i
		}
	}
	r.t.Fatalf("%s: %s: never came; last told %+v", key, what, last)
	return last
}

func ip(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
}

// namespace makes a network namespace that ends with the test.
func namespace(t *testing.T, suffix string) string {
	name := fmt.Sprintf("cassini-%d-%s", os.Getpid(), suffix)
	ip(t, "netns add "+name)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	return name
}

func present(model.Interface) bool { return true }

func TestLinksFollow(t *testing.T) {
	a, b := namespace(t, "a"), namespace(t, "b")
	ip(t, "-n "+a+" link add eth0 type veth peer name eth0 netns "+b)
	r := start(t)
	key := "eth0@" + a
	i := r.expect(key, "there from the start", func(i model.Interface) bool { return i.Kind == "veth" })
	if i.Carrier != 0 || i.Up || i.Address == "" || i.MTU != 1500 || i.Driver != "veth" || i.State != model.InterfacePresent {
		t.Errorf("before it was set up: %+v", i)
	}
	ip(t, "-n "+a+" link set eth0 up")
	ip(t, "-n "+b+" link set eth0 up")
	i = r.expect(key, "up with carrier", func(i model.Interface) bool { return i.Carrier == 1 && i.OperState == "up" && i.Up })
	if i.Speed != 10000 || i.Duplex != "full" {
		t.Errorf("settings of a veth: %d Mbit/s, %q duplex", i.Speed, i.Duplex)
	}
	changes := i.CarrierChanges
	ip(t, "-n "+b+" link set eth0 down")
	r.expect(key, "carrier lost", func(i model.Interface) bool { return i.Carrier == 0 && i.CarrierChanges == changes+1 })
	ip(t, "-n "+b+" link set eth0 up")
	r.expect(key, "carrier back", func(i model.Interface) bool { return i.Carrier == 1 && i.CarrierChanges == changes+2 })
	ip(t, "-n "+a+" link set eth0 mtu 1400")
	r.expect(key, "MTU", func(i model.Interface) bool { return i.MTU == 1400 })
	ip(t, "-n "+a+" link set eth0 address 02:00:00:00:00:11")
	r.expect(key, "address", func(i model.Interface) bool { return i.Address == "02:00:00:00:00:11" })
	ip(t, "-n "+a+" link set eth0 alias uplink")
	r.expect(key, "alias", func(i model.Interface) bool { return i.Alias == "uplink" })
	ip(t, "-n "+a+" link set eth0 down")
	ip(t, "-n "+a+" link set eth0 name lan0")
	r.expect(key, "gone under its old name", func(i model.Interface) bool { return i.State == model.InterfaceGone && !i.Ended.IsZero() })
	r.expect("lan0@"+a, "there under its new name", present)
	ip(t, "-n "+a+" link del lan0")
	r.expect("lan0@"+a, "gone", func(i model.Interface) bool { return i.State == model.InterfaceGone })
	r.expect("eth0@"+b, "its peer too", func(i model.Interface) bool { return i.State == model.InterfaceGone })
}

func TestAddressesAndGateways(t *testing.T) {
	a := namespace(t, "addr")
	ip(t, "-n "+a+" link add eth0 type veth peer name p0")
	ip(t, "-n "+a+" link set eth0 up")
	r := start(t)
	key := "eth0@" + a
	ip(t, "-n "+a+" addr add 10.9.0.5/24 brd 10.9.0.255 dev eth0 label eth0:x")
	i := r.expect(key, "IPv4", func(i model.Interface) bool { return len(i.Addresses) > 0 && i.Addresses["10.9.0.5/24"].Scope != "" })
	if got := i.Addresses["10.9.0.5/24"]; got != (model.IPConfig{Broadcast: "10.9.0.255", Scope: "global", Label: "eth0:x"}) {
		t.Errorf("IPv4 address: %+v", got)
	}
	ip(t, "-n "+a+" addr add 2001:db8::5/64 dev eth0 valid_lft 600 preferred_lft 600 nodad")
	i = r.expect(key, "IPv6", func(i model.Interface) bool { return i.Addresses["2001:db8::5/64"].Dynamic })
	if got := i.Addresses["2001:db8::5/64"]; got.Scope != "global" {
		t.Errorf("IPv6 address: %+v", got)
	}
	ip(t, "-n "+a+" route add default via 10.9.0.1")
	ip(t, "-n "+a+" route add 10.10.0.0/16 via 10.9.0.2")
	ip(t, "-n "+a+" -6 route add default via 2001:db8::1")
	r.expect(key, "both gateways, and no other", func(i model.Interface) bool { return fmt.Sprint(i.DefaultGateways) == "[10.9.0.1 2001:db8::1]" })
	ip(t, "-n "+a+" route del default")
	r.expect(key, "gateway gone", func(i model.Interface) bool { return fmt.Sprint(i.DefaultGateways) == "[2001:db8::1]" })
	ip(t, "-n "+a+" addr del 10.9.0.5/24 dev eth0")
	r.expect(key, "address gone", func(i model.Interface) bool { _, there := i.Addresses["10.9.0.5/24"]; return !there })
	ip(t, "-n "+a+" link set eth0 down")
	r.expect(key, "no gateway over a link that is down", func(i model.Interface) bool { return len(i.DefaultGateways) == 0 })
}

// makes says whether the kernel has a kind of link; loudly when not.
func makes(t *testing.T, ns, args string) bool {
	t.Helper()
	out, err := exec.Command("ip", strings.Fields("-n "+ns+" "+args)...).CombinedOutput()
	if err != nil && strings.Contains(string(out), "Unknown device type") {
		t.Logf("NOT TRIED, THIS KERNEL HAS NO SUCH LINK: %s", args)
		return false
	}
	if err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
	return true
}

func TestWhatStandsOnWhat(t *testing.T) {
	a := namespace(t, "stack")
	r := start(t)
	at := "@" + a
	ip(t, "-n "+a+" link add eth0 type veth peer name eth1")
	ip(t, "-n "+a+" link add br0 type bridge")
	ip(t, "-n "+a+" link set eth1 master br0")
	r.expect("eth0"+at, "one end of a veth", func(i model.Interface) bool { return i.Parent == "eth1" })
	r.expect("eth1"+at, "port", func(i model.Interface) bool { return i.Master == "br0" })
	r.expect("br0"+at, "bridge", func(i model.Interface) bool { return i.Kind == "bridge" })
	if makes(t, a, "link add bond0 type bond mode active-backup") {
		ip(t, "-n "+a+" link set eth0 master bond0")
		ip(t, "-n "+a+" link set bond0 up")
		r.expect("eth0"+at, "slave", func(i model.Interface) bool { return i.Master == "bond0" })
		r.expect("bond0"+at, "bond", func(i model.Interface) bool { return i.Bond != nil && i.Bond.Mode == "active-backup" })
	}
	if makes(t, a, "link add link eth1 name eth1.7 type vlan id 7") {
		r.expect("eth1.7"+at, "VLAN", func(i model.Interface) bool { return i.Parent == "eth1" && i.VLAN == 7 })
	}
	if makes(t, a, "link add link eth0 name mv0 type macvlan") {
		r.expect("mv0"+at, "macvlan", func(i model.Interface) bool { return i.Parent == "eth0" && i.Kind == "macvlan" })
	}
	ip(t, "-n "+a+" link set eth1 nomaster")
	r.expect("eth1"+at, "no port", func(i model.Interface) bool { return i.Master == "" })
}

func TestWhatTheManagerRemembers(t *testing.T) {
	a := namespace(t, "again")
	ip(t, "-n "+a+" link add eth0 type veth peer name p0")
	first := start(t)
	same := first.expect("eth0@"+a, "there", present)
	was := same
	was.Name = "eth7"
	document := func(i model.Interface) model.Document {
		doc, err := model.NewDocument(model.Name{Host: "web-17", Package: model.PackageNetConfig, Key: i.Key()}, time.Now(), i)
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	again := start(t, document(same), document(was))
	again.expect("eth7@"+a, "gone while nobody listened", func(i model.Interface) bool { return i.State == model.InterfaceGone })
	again.mu.Lock()
	defer again.mu.Unlock()
	if n := again.told["eth0@"+a]; n != 0 {
		t.Errorf("told %d times although it is as the manager remembers it", n)
	}
	if again.told["lo"] == 0 {
		t.Error("not told although the manager does not remember it")
	}
}

// More changes than the buffer holds lead to one reading anew, and nothing is
// missed.
func TestLostMessages(t *testing.T) {
	a := namespace(t, "burst")
	r := startWith(t, 1)
	var script strings.Builder
	const links = 300
	for n := range links {
		fmt.Fprintf(&script, "link add d%d type veth peer name p%d\nlink set d%d up\naddr add 10.%d.%d.1/24 dev d%d\nlink set d%d mtu 1400\n", n, n, n, 100+n/200, n%200, n, n)
	}
	cmd := exec.Command("ip", "-n", a, "-batch", "-")
	cmd.Stdin = strings.NewReader(script.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for n := range links {
		r.expect(fmt.Sprintf("d%d@%s", n, a), "as it was left", func(i model.Interface) bool {
			_, there := i.Addresses[fmt.Sprintf("10.%d.%d.1/24", 100+n/200, n%200)]
			return there && i.MTU == 1400
		})
	}
	if stats := r.Stats(); stats.Resyncs == 0 {
		t.Errorf("%+v: nothing was lost, so this proves nothing", stats)
	}
}

// expectSeen waits until an address was told to be at a hardware address.
func (r *rig) expectSeen(key, mac string) model.Seen {
	r.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		r.mu.Lock()
		s := r.seen[key]
		r.mu.Unlock()
		if s.MAC == mac {
			return s
		}
	}
	r.t.Fatalf("%s at %s: never came; told %+v", key, mac, r.seen)
	return model.Seen{}
}

// Machines that answered are told with their hardware address; those that did not,
// are not; and another machine at the same address is told with the one before.
func TestOthersOnTheWire(t *testing.T) {
	a, b := namespace(t, "a"), namespace(t, "b")
	ip(t, "-n "+a+" link add eth0 type veth peer name eth0 netns "+b)
	for ns, end := range map[string]string{a: "1", b: "2"} {
		ip(t, "-n "+ns+" link set eth0 address 02:00:00:00:00:0"+end)
		ip(t, "-n "+ns+" link set eth0 up")
		ip(t, "-n "+ns+" addr add 10.8.0."+end+"/24 dev eth0")
		ip(t, "-n "+ns+" addr add 2001:db8:8::"+end+"/64 dev eth0 nodad")
	}
	ping := func(addr string) {
		_ = exec.Command("ip", "netns", "exec", a, "curl", "-s", "-m", "1", "http://"+addr+":9/").Run() // refused, or nobody
	}
	ping("10.8.0.2")
	r := start(t)
	first := r.expectSeen("eth0/10.8.0.2@"+a, "02:00:00:00:00:02") // from before the start
	ping("[2001:db8:8::2]")
	r.expectSeen("eth0/2001:db8:8::2@"+a, "02:00:00:00:00:02")
	r.expectSeen("eth0/10.8.0.1@"+b, "02:00:00:00:00:01")
	ping("10.8.0.77")
	ip(t, "-n "+a+" neigh del 10.8.0.2 dev eth0")
	ip(t, "-n "+b+" link set eth0 address 02:00:00:00:00:22")
	ping("10.8.0.2")
	s := r.expectSeen("eth0/10.8.0.2@"+a, "02:00:00:00:00:22")
	if s.Before != "02:00:00:00:00:02" || !s.FirstSeen.Equal(first.FirstSeen) || !s.Changed.After(first.Changed) {
		t.Errorf("told %+v after %+v", s, first)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, told := r.seen["eth0/10.8.0.77@"+a]; told {
		t.Error("an address that nobody answered for was told")
	}
	if n := r.told["seen eth0/10.8.0.2@"+a]; n != 2 {
		t.Errorf("told %d times, want twice: states that come and go are no news", n)
	}
}
