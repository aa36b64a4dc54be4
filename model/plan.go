package model

// PlannedCable is a cable as it should be: an interface of a host and the switch's port
// that it should end in.
type PlannedCable struct {
	Host      string `json:"host"`
	Interface string `json:"interface"` // with "@NETNS" outside the host's own network namespace
	CableEnd
	Line int `json:"line,omitempty"` // of the plan
}

// CableEnd is the far end of a cable, by the names that the plan or the device uses.
type CableEnd struct {
	Switch string `json:"switch"`
	Port   string `json:"port"`
}

// How a cable stands against a plan.
const (
	CableRight       = "right"
	CableWrongPort   = "wrong-port"   // of the right switch
	CableWrongSwitch = "wrong-switch" // or of something that is none
	CableMissing     = "missing"      // planned, and nothing is heard
	CableUnplanned   = "unplanned"    // heard, and not in the plan
)

// CableStates are how a cable can stand against a plan.
func CableStates() []string {
	return []string{CableRight, CableWrongPort, CableWrongSwitch, CableMissing, CableUnplanned}
}

// Cabling is an estate's cables against a plan.
type Cabling struct {
	Counts map[string]int `json:"counts"` // by state; every state is there
	Cables []CableCheck   `json:"cables"` // by host and interface
}

// CableCheck is one cable against a plan.
type CableCheck struct {
	Host      string    `json:"host"`
	Interface string    `json:"interface"`
	State     string    `json:"state"`
	Expected  *CableEnd `json:"expected,omitempty"`
	Actual    *CableEnd `json:"actual,omitempty"`
	// Note says for people what is known besides: who is where this should be, why
	// nothing may be heard.
	Note string `json:"note,omitempty"`
	Line int    `json:"line,omitempty"` // of the plan
}
