package enroll

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cassini/model"

	"github.com/vishvananda/netlink"
)

const (
	board1, board2 = "0b0a2d5e-6c1d-4c58-9a39-000000000001", "0b0a2d5e-6c1d-4c58-9a39-000000000002"
	card1, card2   = "52:54:00:ca:55:01", "52:54:00:ca:55:02"
	card3          = "52:54:00:ca:55:03"
	addr1, addr2   = "10.77.1.201", "10.77.1.202"
	addr3          = "10.77.1.203"
)

// newMachines starts a manager, a host that hears who is up, and web-1, a virtual machine.
func newMachines(t *testing.T) (*rig, virtual) {
	t.Helper()
	i := newImage(t)
	r := newRig(t, 1, "")
	r.patience = 5 * patience // processors are emulated, on a busy machine too
	r.viewer = r.token("--role", "viewer")
	if err := r.join("s1-h1", r.token("--role", "agent")); err != nil {
		t.Fatal(err)
	}
	r.startAgent("s1-h1")
	v := r.newVirtual(i, "v1", virtual{name: "web-1", uuid: board1, mac: card1, addr: addr1, token: r.token("--role", "agent", "--limit", "9")})
	v.start()
	r.up(nil, "s1-h1", "web-1")
	r.says("web-1", model.PackageNetConfig, card1)
	return r, v
}

// clonedFrom waits until there are incidents about exactly these hosts, each of which names the original.
func (r *rig) clonedFrom(original string, want ...string) {
	r.t.Helper()
	r.wait("incidents are about "+strings.Join(want, ", "), func() error {
		list, err := r.incidents()
		if err != nil {
			return err
		}
		about := map[string]bool{}
		for _, i := range list {
			about[i.Cause] = strings.Contains(i.Summary, original)
		}
		if got := slices.Sorted(maps.Keys(about)); !slices.Equal(got, want) {
			return fmt.Errorf("they are about %v: %+v", got, list)
		}
		return nil
	})
}

// boots fails unless a host was only ever on these boards, and says in how many boots it was.
func (r *rig) boots(host string, boards ...string) int {
	r.t.Helper()
	boots, on := map[string]bool{}, map[string]bool{}
	for _, id := range r.history(host) {
		boots[id.BootID], on[id.DMI] = true, true
	}
	if got := slices.Sorted(maps.Keys(on)); !slices.Equal(got, boards) {
		r.t.Errorf("%s was on boards %v, want %v", host, got, boards)
	}
	return len(boots)
}

// unclonedAfter fails unless a host became these one after the other and no more, by its events, and
// nobody is told of clones.
func (r *rig) unclonedAfter(host string, changes ...string) {
	r.t.Helper()
	out, err := r.admin("events", "-o", "json")
	if err != nil {
		r.t.Fatal(err)
	}
	var list []string
	for lines := json.NewDecoder(strings.NewReader(out)); lines.More(); {
		var e model.Event
		if err := lines.Decode(&e); err != nil {
			r.t.Fatalf("%v: %s", err, out)
		}
		if e.Kind == model.EventHostChanged && e.Host == host {
			list = append(list, e.Summary)
		}
	}
	if !slices.EqualFunc(list, changes, strings.Contains) {
		r.t.Errorf("changes of %s are %q, want %q", host, list, changes)
	}
	if open, err := r.incidents(); err != nil || len(open) > 0 {
		r.t.Errorf("%+v, %v", open, err)
	}
}

// stranger gives the host beside another address, and sends a machine a datagram from there.
func (r *rig) stranger(from, to string) {
	r.t.Helper()
	err := r.estate.Do("s1-h1", func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(from), Mask: net.CIDRMask(24, 32)}}); err != nil {
			return err
		}
		conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(from)}, &net.UDPAddr{IP: net.ParseIP(to), Port: 9})
		if err != nil {
			return err
		}
		_, err = conn.Write([]byte("hello"))
		return errors.Join(err, conn.Close())
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestMachinesClonedCards: a hypervisor gives all boards one UUID, and an image gives all machines
// one machine-id, so that network cards alone tell clones apart. One was made of the image, and
// one of the disk of the running machine. All are watched, and each said only what it is.
func TestMachinesClonedCards(t *testing.T) {
	r, v := newMachines(t)
	life := r.lives["web-1"]
	image := r.newVirtual(v.image, "v2", virtual{name: "web-1", uuid: board1, mac: card2, addr: addr2, token: v.token})
	image.start()
	r.up(nil, "s1-h1", "web-1", "web-1~2")
	r.says("web-1~2", model.PackageNetConfig, card2)
	r.clonedFrom("web-1", "host:web-1~2")

	v.do("stop", nil)
	disk := r.newVirtual(v.image, "v3", virtual{name: "web-1", uuid: board1, mac: card3, addr: addr3, token: v.token})
	disk.copyDisk(v.disk)
	v.do("cont", nil)
	disk.start()
	r.up(nil, "s1-h1", "web-1", "web-1~2", "web-1~3")
	r.says("web-1~3", model.PackageNetConfig, card3)
	r.clonedFrom("web-1", "host:web-1~2", "host:web-1~3")

	if r.lives["web-1"] != life {
		t.Errorf("the original began anew: life %d, and %d before", r.lives["web-1"], life)
	}
	for _, host := range []string{"web-1", "web-1~2", "web-1~3"} {
		if n := r.boots(host, board1); n != 1 {
			t.Errorf("%s was told in %d boots", host, n)
		}
	}
	r.says("web-1", model.PackageNetConfig, card1)
}

// TestMachinesChangedParts: a board is changed, and later the card, with the disk of before. It is
// the same host all the time, and nobody is told of more than the board.
func TestMachinesChangedParts(t *testing.T) {
	r, v := newMachines(t)
	again := func(what string) {
		t.Helper()
		v.cut()
		t.Log(what)
		v.start()
		r.up([]string{"web-1"}, "s1-h1", "web-1")
		r.says("web-1", model.PackageNetConfig, v.mac)
	}
	v.uuid = board2
	again("another board")
	again("a boot")
	v.mac = card2
	again("another card")
	if n := r.boots("web-1", board1, board2); n != 4 {
		t.Errorf("it was told in %d boots", n)
	}
	r.unclonedAfter("web-1", "runs on another machine or board", "was booted", "was booted")
}

// TestMachinesMoved: a machine goes on in another hypervisor while it runs, and later is put back to
// a snapshot of its memory and disk. It is the same host.
func TestMachinesMoved(t *testing.T) {
	r, v := newMachines(t)
	life, boot := r.lives["web-1"], r.history("web-1")[0].BootID
	to := v
	to.at = "v2"
	link := filepath.Join(r.dir, "migration")
	to.start("-incoming", "unix:"+link)
	to.is("inmigrate")
	v.migrate("unix:" + link)
	v.cut()
	to.is("running")
	r.up(nil, "s1-h1", "web-1")
	if r.lives["web-1"] != life || r.boots("web-1", board1) != 1 {
		t.Errorf("it began anew: life %d, and %d before", r.lives["web-1"], life)
	}
	r.unclonedAfter("web-1")

	back := to.snapshot("v3")
	to.cut()
	to.start()
	r.up([]string{"web-1"}, "s1-h1", "web-1")
	to.cut()
	back()
	r.stranger("10.77.1.99", addr1) // whom it has to tell of
	r.wait("it says that it is in its first boot", func() error {
		if list := r.history("web-1"); list[0].BootID != boot || len(list) < 3 {
			return fmt.Errorf("it said %+v", list)
		}
		return nil
	})
	r.up([]string{"web-1"}, "s1-h1", "web-1") // in a life that others take, which that of the snapshot is not
	r.boots("web-1", board1)
	r.unclonedAfter("web-1", "was booted", "a snapshot was restored")
}
