// Package claim tells, by what machines say of themselves, whether a machine that comes by a
// name is the one that has it. It is the one rule for that: the manager asks it of those that
// join or speak, an agent of its own data directory. It is pure: values in, an answer out.
package claim

import (
	"slices"

	"cassini/model"
)

// Claim is what a machine that comes is to the one that has a name.
type Claim string

// Claims of a name.
const (
	Itself  Claim = "itself"  // the same machine: it was installed anew, booted, or lost what it had
	Another Claim = "another" // another machine of this name
	Open    Claim = "open"    // either: what they say fits both
	Untold  Claim = "untold"  // one of the two says too little of itself
)

// Weigh says what a machine that comes is to the one that has the name. What lasts longest
// counts most: network cards, then the UUID of firmware or hypervisor, then the machine-id,
// which images bring along. holds says that who comes has what was given to the one that has
// the name, its data directory: that is its disk, or a copy of it. Then other cards alone do
// not tell another machine, since cards are changed.
func Weigh(has, comes model.Machine, holds bool) Claim {
	bothMACs := len(has.MACs) > 0 && len(comes.MACs) > 0
	bothDMI := has.DMI != "" && comes.DMI != ""
	bothIDs := has.MachineID != "" && comes.MachineID != ""
	sameDMI, sameID := has.DMI == comes.DMI, has.MachineID == comes.MachineID
	sameCard := slices.ContainsFunc(has.MACs, func(mac string) bool { return slices.Contains(comes.MACs, mac) })
	switch {
	case sameCard && bothDMI && !sameDMI: // another board, or a clone that was given the addresses too
		return Open
	case sameCard:
		return Itself
	case bothDMI && !sameDMI:
		return Another
	case bothDMI && bothMACs: // another card, or firmware that gives all boards one UUID
		return Open
	case bothDMI:
		return Itself
	case bothMACs && holds && bothIDs && sameID:
		return Open
	case bothMACs: // a clone, too
		return Another
	case bothIDs && !sameID:
		return Another
	case bothIDs && has.BootID != "" && has.BootID == comes.BootID:
		return Itself
	case bothIDs: // it was booted and lost what it had, or is a clone
		return Open
	}
	return Untold
}

// Holds is Weigh where who comes has the data directory, and two things are known of the machine
// that has the name: what it was when that was last certain, and what was told under the name
// since. Parts are changed one after the other, each of which leaves it open. So who is another
// machine than the one of then may be the one of now.
func Holds(certain, told, comes model.Machine) Claim {
	c := Weigh(certain, comes, true)
	if c == Another && Weigh(told.Over(certain), comes, true) != Another {
		return Open
	}
	return c
}

// Of is Weigh where what is open is decided by whether the one that has the name is up at
// this moment: it cannot be what has just begun.
func Of(has, comes model.Machine, holds bool, live func() bool) Claim {
	switch c := Weigh(has, comes, holds); {
	case c != Open:
		return c
	case live():
		return Another
	}
	return Itself
}

// Choose says which of those that have a name a machine is that comes by it: the one whom it
// claims to be itself, or else the first from whom it cannot be told. It is false where all
// of them are other machines.
func Choose(ids []string, claims func(id string) Claim) (id string, ok bool) {
	for _, of := range ids {
		switch claims(of) {
		case Itself:
			return of, true
		case Untold, Open:
			if !ok {
				id, ok = of, true
			}
		case Another:
		}
	}
	return id, ok
}
