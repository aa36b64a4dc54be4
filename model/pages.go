package model

// Page is all that is known of one host or service, for a person who looks at nothing else.
// Lists that can be long have their first few, and Counts says how many there are.
type Page struct {
	Node Node `json:"node"`
	// Liveness is how the host stands in its rings now; absent on the page of a service, of
	// a past moment, and where the host is on no ring.
	Liveness *HostLiveness `json:"liveness,omitempty"`
	// Interfaces, Ports and Services are a host's. Services that listen come first.
	Interfaces []HostInterface `json:"interfaces,omitempty"`
	Ports      []Port          `json:"ports,omitempty"`
	Services   []Service       `json:"services,omitempty"` // on the page of a service that alone
	// Dependencies are what it is client of, Dependents its clients, those seen last first.
	Dependencies []DependencyView `json:"dependencies"`
	Dependents   []DependencyView `json:"dependents"`
	// Falls is what falls when it dies.
	Falls Fallen `json:"falls"`
	// FallsWith are what take it along when they alone die, those with the most victims first.
	FallsWith []SinglePoint `json:"falls_with"`
	// Incidents are those of it and of its host, the newest first.
	Incidents []Incident `json:"incidents"`
	// Events are the latest, the newest first.
	Events []Event    `json:"events"`
	Counts PageCounts `json:"counts"`
}

// PageCounts are how many there are of what a Page has the first few of.
type PageCounts struct {
	Listening    int `json:"listening"` // services
	Services     int `json:"services"`  // with those that ended
	Dependencies int `json:"dependencies"`
	Dependents   int `json:"dependents"`
	FallsWith    int `json:"falls_with"`
	Incidents    int `json:"incidents"`
	Open         int `json:"open_incidents"`
}

// Fallen is how much falls with something.
type Fallen struct {
	Hosts    int `json:"hosts"`
	Services int `json:"services"`
}

// ProgramView is a program of a host as it was seen last: it listens, dials or serves.
type ProgramView struct {
	ID   string `json:"id"`
	Host string `json:"host"`
	Name string `json:"name"` // the last part of its path
	Process
	// Where is where it lives; nil when that is not known.
	Where *Where `json:"where,omitempty"`
	// Listening counts its services that listen, Dials the services that it is client of.
	Listening int `json:"listening"`
	Dials     int `json:"dials"`
}

// Card is a network interface that is hardware, with its maker.
type Card struct {
	ID      string `json:"id"` // of the interface
	Host    string `json:"host"`
	Name    string `json:"name"`
	Address string `json:"address"` // of the hardware
	// Vendor is whom the IEEE gave the block of that address; "" for nobody, as for an address
	// that was made up.
	Vendor string `json:"vendor"`
	Driver string `json:"driver,omitempty"`
	Speed  uint32 `json:"speed,omitempty"` // Mbit/s
	Up     bool   `json:"up"`              // has a carrier
}

// UnknownNode is something that hosts of agents have to do with and that no agent knows.
type UnknownNode struct {
	ID   string `json:"id"`
	Kind string `json:"kind"` // service or unknown-host
	// AskedAs are the names that hosts were told its address for, the newest first.
	AskedAs []string `json:"asked_as,omitempty"`
	Vendor  string   `json:"vendor,omitempty"`
	Clients int      `json:"clients"` // programs that dial it
	Dials   int      `json:"dials"`   // services that it is client of
	SeenBy  int      `json:"seen_by"` // interfaces that see it on the wire
}
