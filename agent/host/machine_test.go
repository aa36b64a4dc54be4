package host

import (
	"net"
	"slices"
	"testing"

	"cassini/model"

	"github.com/vishvananda/netlink"
)

func TestCards(t *testing.T) {
	mac := func(s string) net.HardwareAddr {
		m, err := net.ParseMAC(s)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	attrs := func(now, perm string) netlink.LinkAttrs {
		a := netlink.LinkAttrs{EncapType: "ether", HardwareAddr: mac(now)}
		if perm != "" {
			a.PermHWAddr = mac(perm)
		}
		return a
	}
	loopback := netlink.LinkAttrs{EncapType: "loopback", Flags: net.FlagLoopback, HardwareAddr: mac("00:00:00:00:00:00")}
	infiniband := netlink.LinkAttrs{EncapType: "infiniband", HardwareAddr: make(net.HardwareAddr, 20)}
	links := []netlink.Link{
		&netlink.Device{LinkAttrs: loopback}, &netlink.Device{LinkAttrs: infiniband}, &netlink.Device{LinkAttrs: attrs("00:00:00:00:00:00", "")},
		&netlink.Device{LinkAttrs: attrs("52:54:00:00:00:09", "")},
		&netlink.Device{LinkAttrs: attrs("02:00:00:00:00:01", "00:1b:fc:00:00:02")}, // part of a bond, whose address it has
		&netlink.Device{LinkAttrs: attrs("00:1b:fc:00:00:02", "")},
		&netlink.Bond{LinkAttrs: attrs("02:00:00:00:00:01", "")}, &netlink.Veth{LinkAttrs: attrs("02:42:ac:11:00:02", "")}, &netlink.Bridge{LinkAttrs: attrs("02:42:00:00:00:01", "")},
	}
	if got := cards(links); !slices.Equal(got, []string{"00:1b:fc:00:00:02", "52:54:00:00:00:09"}) {
		t.Errorf("got %v", got)
	}
	many := make([]netlink.Link, 2*model.MaxMACs)
	for n := range many {
		many[n] = &netlink.Device{LinkAttrs: netlink.LinkAttrs{EncapType: "ether", HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, byte(n)}}}
	}
	if got := cards(many); len(got) != model.MaxMACs {
		t.Errorf("%d of many", len(got))
	}
}

func TestReadMachine(t *testing.T) {
	m, err := ReadMachine()
	if err != nil || m.BootID == "" {
		t.Errorf("got %+v, %v", m, err)
	}
}
