package groups

import (
	"time"

	"cassini/model"
)

// Facts are the members of an estate at one moment, with the names of their groups by one
// key, and who depends on whom.
type Facts struct {
	Things []Thing
	Links  []Link
}

// Thing is a host, a service, a program or a machine without an agent.
type Thing struct {
	ID, Kind, Host string
	// Groups are the names of those it is in: none when it is no member, "" among them when
	// it has nothing of the kind. A host may be on several subnets.
	Groups []string
	State  string // as people read it
	// Alive is false for a host that is dead and a service that ended or is absent, Down is
	// true for all that is on a dead host.
	Alive, Down, Flapping bool
	// Births and Deaths count as long as the thing is known.
	Births, Deaths uint64
	Since          time.Time // when it began; zero when that is not known
}

// Link is a dependency: From and To are places in Facts.Things.
type Link struct {
	From, To int
	model.GroupFigures
}

// bounds of a group that is one of many.
const (
	shownLinks = 5
	// MostLinks bounds the links of a group that is asked for alone.
	MostLinks = 1000
)

func plus(a, b model.GroupFigures) model.GroupFigures {
	a.Connections += b.Connections
	a.Failed += b.Failed
	a.Open += b.Open
	a.BytesSent += b.BytesSent
	a.BytesReceived += b.BytesReceived
	return a
}
