package identity

import (
	"slices"

	"cassini/model"
)

// Claim is what a machine that joins by a host name is to one that has the name.
type Claim string

// Claims of a name.
const (
	Itself  Claim = "itself"  // the same machine: it was installed anew, or lost what it had
	Another Claim = "another" // another machine of this name
	Untold  Claim = "untold"  // one of the two says too little of itself
)

// Claims says what a machine that joins is to the one that has the name. What lasts longest
// counts most: network cards, then the UUID of firmware or hypervisor, then the machine-id,
// which images bring along. live says, where these leave it open, whether the one that has
// the name is up at this moment: it cannot be what has just begun to join.
func Claims(has, joins model.Machine, live func() bool) Claim {
	bothMACs := len(has.MACs) > 0 && len(joins.MACs) > 0
	bothDMI := has.DMI != "" && joins.DMI != ""
	bothIDs := has.MachineID != "" && joins.MachineID != ""
	switch {
	case bothMACs && slices.ContainsFunc(has.MACs, func(mac string) bool { return slices.Contains(joins.MACs, mac) }):
		return Itself
	case bothDMI && has.DMI != joins.DMI:
		return Another
	case bothDMI && bothMACs: // another card, or firmware that gives all boards one UUID
		return unlessLive(live)
	case bothDMI:
		return Itself
	case bothMACs: // a clone, too
		return Another
	case bothIDs && has.MachineID != joins.MachineID:
		return Another
	case bothIDs && has.BootID != "" && has.BootID == joins.BootID:
		return Itself
	case bothIDs: // it was booted and lost what it had, or is a clone
		return unlessLive(live)
	}
	return Untold
}

func unlessLive(live func() bool) Claim {
	if live() {
		return Another
	}
	return Itself
}

// Choose says which of those that have a name a machine is that joins by it: the one whom it
// claims to be itself, or else the first from whom it cannot be told. It is false where all
// of them are other machines.
func Choose(ids []string, claims func(id string) Claim) (id string, ok bool) {
	for _, of := range ids {
		switch claims(of) {
		case Itself:
			return of, true
		case Untold:
			if !ok {
				id, ok = of, true
			}
		case Another:
		}
	}
	return id, ok
}
