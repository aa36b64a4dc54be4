package watch

import (
	"time"

	"cassini/model"
)

// Picture is what a manager answered at one moment.
type Picture struct {
	// At is this machine's time when the counters were read. Rates are told from
	// differences of it, so it should carry a monotonic reading.
	At           time.Time
	Services     []model.Service
	Dependencies []model.DependencyView
	Hosts        []model.HostLiveness
	Incidents    []model.Incident
	// Client is the node that Model.Wants named; nil when it was not asked for or is
	// not there.
	Client *model.Node
	// Stale says why counters may be old; "" when they are not.
	Stale string
}
