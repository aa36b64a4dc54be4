package model

// Shared is one thing that two hosts have in common: when it fails, both are hit.
type Shared struct {
	Kind string `json:"kind"` // switch, switchport, subnet, vlan, gateway, service, interface
	ID   string `json:"id"`   // of its node; a gateway's address
	Name string `json:"name"`
	// A and B say how each host comes by it: "web-1/eth0 port Gi0/7".
	A []string `json:"a"`
	B []string `json:"b"`
}

// Uplinks are how a host is joined to switches.
type Uplinks struct {
	Host string `json:"host"`
	// Ports are its cables that end in switches, by what is heard now.
	Ports    []Uplink `json:"ports"`
	Switches []string `json:"switches"` // names, each once
	// Risk says what one failure cuts the host off: RiskCable, RiskSwitch, or "" when
	// there is none such. RiskUnknown: no switch is heard.
	Risk string `json:"risk"`
}

// Risks of Uplinks.
const (
	RiskCable   = "one cable"
	RiskSwitch  = "one switch"
	RiskUnknown = "no switch is heard"
)

// Uplink is one cable of a host that ends in a switch.
type Uplink struct {
	Interface string `json:"interface"`
	Master    string `json:"master,omitempty"` // the bond or bridge that it belongs to
	Switch    string `json:"switch"`           // identifier
	Port      string `json:"port"`
	Up        bool   `json:"up"` // it has a carrier
}
