package exporter

import (
	"log/slog"

	"cassini/model"
)

// Sources is where the figures come from. A nil field says that this process
// has no such part; its metrics are then absent. The functions are called once a
// scrape, from several goroutines when scrapes overlap, and must not block for
// longer than a scrape may take.
type Sources struct {
	// Capture may read the kernel's counters. Nil as an answer says that they
	// could not be read.
	Capture func() *model.CaptureStats
	Outbox  func() *model.OutboxStats
	// Sent is an agent's way to a manager in another process, Deliveries a manager's from
	// agents in others.
	Sent       func() model.SentStats
	Deliveries func() model.DeliveryStats
	Network    func() *model.NetworkStats
	Names      func() *model.NameStats
	Store      func() model.StoreStats
	Graph      func() model.GraphStats
	Requests   func() []model.RequestStat
	// Rings is this host in its rings, Keeper the manager's side of them. Nil as an
	// answer says that there are none.
	Rings  func() *model.RingStats
	Keeper func() *model.RingKeeperStats
	// Process is how the process is set up.
	Process func() model.ProcessStats
	// Audit is the audit log; nil as an answer says that it is not open yet.
	Audit func() *model.AuditStats
	// Tenants are whose parts of the estate are asked about; nil as an answer says that
	// there can be none.
	Tenants func() *model.TenantStats
	// Guests are connections of those who have not shown who they are; nil as an answer
	// says that nobody is asked.
	Guests func() *model.GuestStats
	// Alerts are receivers of incidents; nil as an answer says that there are none.
	Alerts func() []model.ReceiverStats
	// Dependencies answers with what is known; it brings nothing up to date.
	Dependencies func() []model.DependencyView
}

// DefaultMaxDependencies is how many dependencies a scrape shows unless told
// otherwise. Each one takes nine series.
const DefaultMaxDependencies = 500

// Config is what New needs besides the sources.
type Config struct {
	Version  string // of Cassini
	Revision string // of its source
	// MaxDependencies bounds the dependencies of a scrape: the busiest are
	// shown, the others counted. 0 means DefaultMaxDependencies.
	MaxDependencies int
	// Logger hears of scrapes that failed. Nil discards.
	Logger *slog.Logger
}
