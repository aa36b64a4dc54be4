package model

import "time"

// HostIdentity is what a host says of who it is.
type HostIdentity struct {
	Host      string    `json:"host"`
	MachineID string    `json:"machine_id,omitempty"`
	DMI       string    `json:"dmi_uuid,omitempty"`
	BootID    string    `json:"boot_id,omitempty"`
	BootTime  time.Time `json:"boot_time"`
	MACs      []string  `json:"macs,omitempty"` // of its devices
	Known     time.Time `json:"known"`          // since when it reports, by the manager's clock
	Heard     time.Time `json:"heard"`          // when it last did
	// Shared are other hosts with the same machine-id.
	Shared []SharedIdentity `json:"shared,omitempty"`
}

// SharedIdentity is another host with a host's machine-id.
type SharedIdentity struct {
	Host string `json:"host"`
	// Relation is "cloned" (two live machines), "one-kernel" (namespaces or containers of
	// one machine), "renamed" (one machine, which had another name) or "undecided" (one
	// of them is not heard of: a clone, or its successor).
	Relation string `json:"relation"`
	// Original says that the host that is asked for is known for longer.
	Original bool `json:"original,omitempty"`
}
