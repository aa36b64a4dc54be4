package api

import (
	"errors"
	"maps"
	"sync"

	"cassini/model"
)

// How many deliveries are under way at once, and of one agent: it sends one after the other,
// but may have given up on one that is not done. Bodies have 8 MiB at most, so that those under
// way are bounded too.
const (
	maxDeliveries       = 128
	maxDeliveriesOfHost = 4
)

// retryAfter is when a delivery that was put off may come again, in seconds.
const retryAfter = "2"

// errBusy says that a delivery has to come again later.
var errBusy = errors.New("the manager is busy; nothing is lost: come again in a moment")

// Deliveries counts what agents deliver, and bounds how many do so at once. It is safe for
// concurrent use; the zero value is ready.
type Deliveries struct {
	mu      sync.Mutex
	stats   model.DeliveryStats
	reasons map[string]uint64
	byHost  map[string]int // that are under way
}

// Stats are the figures since the start.
func (d *Deliveries) Stats() model.DeliveryStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	stats := d.stats
	stats.Limit = maxDeliveries
	stats.Refused = maps.Clone(d.reasons)
	return stats
}

// enter begins a delivery, unless there are too many; then it is an error.
func (d *Deliveries) enter(host string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stats.Underway >= maxDeliveries || host != "" && d.byHost[host] >= maxDeliveriesOfHost {
		d.refuse(model.RefusedBusy)
		return errBusy
	}
	if d.byHost == nil {
		d.byHost = make(map[string]int)
	}
	d.stats.Underway++
	d.byHost[host]++
	return nil
}

func (d *Deliveries) leave(host string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.Underway--
	if d.byHost[host]--; d.byHost[host] == 0 {
		delete(d.byHost, host)
	}
}

// read counts a body: its bytes as they came, and decompressed.
func (d *Deliveries) read(wire, raw int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.WireBytes += uint64(wire)
	d.stats.Bytes += uint64(raw)
}

// took counts a batch that is durable.
func (d *Deliveries) took(b model.Batch, r model.Receipt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.Batches++
	d.stats.Documents += uint64(len(b.Documents) - r.Known)
	d.stats.Known += uint64(r.Known)
	if r.Gap {
		d.stats.Gaps++
	}
	if r.Compared {
		d.stats.Compared++
	}
	if r.Differs {
		d.stats.Differed++
	}
}

func (d *Deliveries) refused(reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuse(reason)
}

// refuse counts with mu held.
func (d *Deliveries) refuse(reason string) {
	if d.reasons == nil {
		d.reasons = make(map[string]uint64)
	}
	d.reasons[reason]++
}
