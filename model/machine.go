package model

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Machine is what a host that joins says of the machine that it runs on, to be told from
// others of its name. What is not known is empty; nothing of it is a proof.
type Machine struct {
	MachineID string   `json:"machine_id,omitempty"` // /etc/machine-id
	DMI       string   `json:"dmi_uuid,omitempty"`   // of the firmware, or the hypervisor; root alone may read it
	BootID    string   `json:"boot_id,omitempty"`
	MACs      []string `json:"macs,omitempty"` // of its network cards, MaxMACs at most
}

// MaxMACs is how many hardware addresses a Machine has at most.
const MaxMACs = 32

// IsZero says that nothing is known.
func (m Machine) IsZero() bool {
	return m.MachineID == "" && m.DMI == "" && m.BootID == "" && len(m.MACs) == 0
}

// String is for logs.
func (m Machine) String() string {
	return fmt.Sprintf("machine-id %q, DMI UUID %q, boot %q, cards %v", m.MachineID, m.DMI, m.BootID, m.MACs)
}

// Equal says that both say the same.
func (m Machine) Equal(other Machine) bool {
	return m.MachineID == other.MachineID && m.DMI == other.DMI && m.BootID == other.BootID && slices.Equal(m.MACs, other.MACs)
}

// Mark tells a boot of a machine from another boot and from another machine, as far as these
// say who they are: what an agent sends it has with each request. "" is of a machine of which
// nothing of it is known.
func (m Machine) Mark() string {
	if m.BootID == "" && m.DMI == "" {
		return ""
	}
	return m.BootID + "/" + m.DMI
}

// MarkHeader is the header in which requests of agents have the mark of their machine.
const MarkHeader = "Cassini-Machine"

// Over is m, and where m does not know something what other says.
func (m Machine) Over(other Machine) Machine {
	if m.MachineID == "" {
		m.MachineID = other.MachineID
	}
	if m.DMI == "" {
		m.DMI = other.DMI
	}
	if m.BootID == "" {
		m.BootID = other.BootID
	}
	if len(m.MACs) == 0 {
		m.MACs = slices.Clone(other.MACs)
	}
	return m
}

// namesakeMark stands between a host name and a number. No host name has it.
const namesakeMark = "~"

// MaxHostName is how long the name of a host may be on rings, in bytes.
const MaxHostName = 64

// Namesake is what the n-th machine of one host name is called, from 2 on: "debian~2".
func Namesake(name string, n int) string {
	mark := namesakeMark + strconv.Itoa(n)
	return strings.ToValidUTF8(name[:min(len(name), MaxHostName-len(mark))], "") + mark
}

// CutNamesake takes what Namesake made apart: the host name, which may have been
// shortened, and the number; 1 for what is no namesake's name.
func CutNamesake(host string) (name string, n int) {
	at := strings.LastIndex(host, namesakeMark)
	if at < 1 {
		return host, 1
	}
	n, err := strconv.Atoi(host[at+1:])
	if err != nil || n < 2 || Namesake(host[:at], n) != host {
		return host, 1
	}
	return host[:at], n
}
