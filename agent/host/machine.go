package host

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"cassini/model"

	"github.com/vishvananda/netlink"
)

// ReadMachine reads what tells this machine from another of its name. What cannot be read is
// left out, and is in the error.
func ReadMachine() (model.Machine, error) {
	var m model.Machine
	var errs [3]error
	m.MachineID, errs[0] = readLine("/etc/machine-id")
	m.BootID, errs[1] = readLine("/proc/sys/kernel/random/boot_id")
	m.DMI = readDMI()
	links, err := netlink.LinkList()
	if err != nil {
		errs[2] = fmt.Errorf("list network interfaces: %w", err)
	}
	m.MACs = cards(links)
	return m, errors.Join(errs[:]...)
}

// cards are the hardware addresses of network cards, real or of a hypervisor: those that
// they have for ever where that is known. What software makes up, such as an end of a
// container's cable, can have the same address elsewhere.
func cards(links []netlink.Link) (macs []string) {
	for _, l := range links {
		a := l.Attrs()
		mac := a.HardwareAddr
		if len(a.PermHWAddr) > 0 {
			mac = a.PermHWAddr
		}
		if l.Type() != "device" || a.Flags&net.FlagLoopback != 0 || a.EncapType != "ether" || len(mac) != 6 || mac[0]&1 != 0 || mac.String() == "00:00:00:00:00:00" {
			continue
		}
		macs = append(macs, mac.String())
	}
	slices.Sort(macs)
	macs = slices.Compact(macs)
	return macs[:min(len(macs), model.MaxMACs)]
}
