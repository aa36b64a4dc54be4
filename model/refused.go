package model

import (
	"net/netip"
	"slices"
	"strings"
)

// Refused is the body of a PackageRefused document: machines that go by the name of a host, by a
// certificate that another authority gave, and are not the machine that has the name. They wait
// until somebody gives them certificates of their own.
type Refused struct {
	Host     string     `json:"host"`
	Machines []Claimant `json:"machines"`
}

// Claimant is a machine that claims a name which another one has: what it says of itself, and from where it asked first.
type Claimant struct {
	Machine Machine    `json:"machine"`
	Addr    netip.Addr `json:"addr"`
}

// Equal says whether two are the same.
func (r Refused) Equal(other Refused) bool {
	return r.Host == other.Host && slices.EqualFunc(r.Machines, other.Machines, Claimant.Equal)
}

// Equal says whether two are the same.
func (m Claimant) Equal(other Claimant) bool {
	return m.Addr == other.Addr && m.Machine.Equal(other.Machine)
}

// String says by what a person finds the machine.
func (m Claimant) String() string {
	var parts []string
	if m.Addr.IsValid() {
		parts = append(parts, "at "+m.Addr.String())
	}
	if m.Machine.DMI != "" {
		parts = append(parts, "DMI UUID "+m.Machine.DMI)
	}
	if len(m.Machine.MACs) > 0 {
		parts = append(parts, "network cards "+strings.Join(m.Machine.MACs, " "))
	}
	if m.Machine.MachineID != "" {
		parts = append(parts, "machine-id "+m.Machine.MachineID)
	}
	if len(parts) == 0 {
		return "of which nothing is known"
	}
	return strings.Join(parts, ", ")
}
