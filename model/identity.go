package model

import "time"

// HostIdentity is what a host says of who it is.
type HostIdentity struct {
	Host string `json:"host"`
	// Hostname is the host name, by which Host is called too, unless another machine had it first.
	Hostname  string    `json:"hostname,omitempty"`
	MachineID string    `json:"machine_id,omitempty"`
	DMI       string    `json:"dmi_uuid,omitempty"`
	BootID    string    `json:"boot_id,omitempty"`
	BootTime  time.Time `json:"boot_time"`
	MACs      []string  `json:"macs,omitempty"` // of its devices
	Known     time.Time `json:"known"`          // since when it reports, by the manager's clock
	Heard     time.Time `json:"heard"`          // when it last did
	// Shared are other hosts with the same machine-id, or of the same host name.
	Shared []SharedIdentity `json:"shared,omitempty"`
}

// SharedIdentity is another host with a host's machine-id, or its host name.
type SharedIdentity struct {
	Host string `json:"host"`
	// Relation is "cloned" (two live machines), "one-kernel" (namespaces or containers of
	// one machine), "renamed" (one machine, which had another name), "undecided" (one
	// of them is not heard of: a clone, or its successor) or "namesake" (another machine-id,
	// and the same host name).
	Relation string `json:"relation"`
	// Original says that the host that is asked for is known for longer; of namesakes, that it
	// had the name first.
	Original bool `json:"original,omitempty"`
}
