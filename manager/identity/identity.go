// Package identity tells one machine from another by what hosts say of themselves: the
// machine-id, which images bring along; the UUID that firmware or a hypervisor gave
// (DMI); the boot id, which the kernel draws anew at each boot; and hardware addresses. It
// is pure: values in, a relation out.
package identity

import (
	"slices"
	"time"

	"cassini/model"
)

// Machine is what is known of a host.
type Machine struct {
	MachineID, DMI, BootID string
	BootTime               time.Time
	MACs                   []string // of its devices
}

// Of takes what a host says, and the addresses of its interfaces.
func Of(id model.Identity, macs []string) Machine {
	return Machine{MachineID: id.MachineID, DMI: id.DMI, BootID: id.BootID, BootTime: id.BootTime, MACs: macs}
}

// Twins says what two hosts of different names are to each other.
type Twins string

// Relations of two hosts.
const (
	Strangers Twins = "strangers"  // nothing says that they are one
	OneKernel Twins = "one-kernel" // namespaces or containers of one machine, each with an agent
	Cloned    Twins = "cloned"     // two machines with one machine-id
	Renamed   Twins = "renamed"    // one machine, which had the other name before
	Namesake  Twins = "namesake"   // two machines with one host name
	MayBe     Twins = "undecided"  // one machine-id, and one of them is not heard of: a clone, or its successor
)

// Compare says what two hosts are to each other. live says of each whether it is known to
// be up.
func Compare(a, b Machine, liveA, liveB bool) Twins {
	sameKernel := a.BootID != "" && a.BootID == b.BootID
	switch {
	case a.MachineID == "" || a.MachineID != b.MachineID:
		return Strangers
	case sameKernel && a.DMI == b.DMI && liveA && liveB:
		return OneKernel
	case liveA && liveB:
		return Cloned // also from a snapshot of its memory: then the hypervisor's UUID differs
	case sameKernel || a.DMI != "" && a.DMI == b.DMI:
		return Renamed
	}
	return MayBe
}

// Change is what became of one host since it last said who it is.
type Change string

// Changes of a host.
const (
	Unchanged   Change = ""
	Rebooted    Change = "rebooted"
	Reinstalled Change = "reinstalled"   // another system on the same machine
	Replaced    Change = "replaced"      // another machine took the name
	Rehosted    Change = "rehosted"      // the same system on another machine: its disk was moved, or restored there
	Restored    Change = "restored"      // an earlier state of it came back: a snapshot
	NewHardware Change = "new-interface" // none of its hardware addresses is left, all else is the same
)

// Became compares what a host says with what it said before. Boots are those that it had
// before that. A machine that is migrated while it runs is unchanged: its kernel goes on,
// and its hypervisor gives it the same UUID.
func Became(before, now Machine, boots []string) Change {
	sameDMI := before.DMI != "" && before.DMI == now.DMI
	sameMAC := slices.ContainsFunc(before.MACs, func(mac string) bool { return slices.Contains(now.MACs, mac) })
	switch {
	case before.MachineID != now.MachineID && (sameDMI || sameMAC):
		return Reinstalled
	case before.MachineID != now.MachineID:
		return Replaced
	case now.BootID != before.BootID && slices.Contains(boots, now.BootID): // by its time alone it may be a clock that was wrong
		return Restored
	case before.DMI != "" && now.DMI != "" && !sameDMI:
		return Rehosted
	case now.BootID != before.BootID:
		return Rebooted
	case len(before.MACs) > 0 && len(now.MACs) > 0 && !sameMAC:
		return NewHardware
	}
	return Unchanged
}
