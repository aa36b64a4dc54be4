package model

import "time"

// Identity is the body of a PackageIdentity document: what tells this host from
// another.
type Identity struct {
	Hostname  string    `json:"hostname"`
	MachineID string    `json:"machine_id,omitempty"` // /etc/machine-id
	DMI       string    `json:"dmi_uuid,omitempty"`   // /sys/class/dmi/id/product_uuid: of the firmware, or the hypervisor
	BootID    string    `json:"boot_id,omitempty"`    // /proc/sys/kernel/random/boot_id
	BootTime  time.Time `json:"boot_time"`
	// CopyOf is the host of whose data directory this host's agent had a copy when it got its name.
	CopyOf     string    `json:"copy_of,omitempty"`
	Agent      string    `json:"agent_version"`
	AgentStart time.Time `json:"agent_start"`
}

// OS is the body of a PackageOS document.
type OS struct {
	ID      string `json:"id,omitempty"` // os-release ID
	Name    string `json:"name"`         // os-release PRETTY_NAME
	Version string `json:"version,omitempty"`
	Kernel  string `json:"kernel"` // uname -r
	Arch    string `json:"arch"`   // uname -m
}
