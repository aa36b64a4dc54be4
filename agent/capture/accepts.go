package capture

import (
	"cmp"
	"errors"
	"slices"

	"cassini/agent/host"
	"cassini/bpf"
	"cassini/model"
)

// Accepts is what counts accepted connections by process: *bpf.Accepts.
type Accepts interface {
	Workers() ([]bpf.Worker, error)
	Forget(bpf.Worker) error
	Full() (uint64, error)
	OpenSCTP() error
	Map() bpf.MapUse
	Close() error
}

// chargedTo is whom accepted connections are charged to; "" where nothing is accepted.
func (c *Capture) chargedTo(l *bpf.Listener) string {
	told := false
	switch l.Proto {
	case bpf.ProtoTCP:
		told = c.cfg.Accepts != nil
	case bpf.ProtoSCTP: // nobody accepts what one socket has for all
		told = c.noSCTPAccepts == nil && l.Many == 0
	default:
		return ""
	}
	if told {
		return model.AcceptsToProcess
	}
	return model.AcceptsToListener
}

// openSCTPAccepts begins with who accepts SCTP's associations, or tells why not.
func (c *Capture) openSCTPAccepts() error {
	if c.cfg.Accepts == nil {
		return errors.New("who accepts is not told here")
	}
	return c.cfg.Accepts.OpenSCTP()
}

// readWorkers reads who accepted connections, and emits the listeners of which that is
// somebody else than their owner.
func (c *Capture) readWorkers(clock bpf.Clock) error {
	if c.cfg.Accepts == nil {
		return nil
	}
	workers, err := c.cfg.Accepts.Workers()
	if err != nil {
		return err
	}
	c.workers = len(workers)
	byEntry := make(map[*listening]map[int]*model.Worker)
	for _, w := range workers {
		entry := c.listeners.byCookie[w.Cookie]
		if entry == nil || host.Gone(w.PID) {
			if entry != nil {
				entry.AcceptedBefore += w.Accepted
			}
			if err := c.cfg.Accepts.Forget(w); err != nil {
				return err
			}
			continue
		}
		if byEntry[entry] == nil {
			byEntry[entry] = make(map[int]*model.Worker)
		}
		one := byEntry[entry][w.PID] // it may have several sockets there
		if one == nil {
			one = &model.Worker{PID: w.PID, Comm: w.Comm}
			byEntry[entry][w.PID] = one
		}
		one.Accepted += w.Accepted
	}
	for _, entry := range c.listeners.byKey {
		if entry.accepted(byEntry[entry]) {
			c.emit(model.PackageListeners, entry.Key(), entry.Listener, true, clock)
		}
	}
	return nil
}

// accepted takes who has accepted connections. It reports whether a document is due.
func (l *listening) accepted(by map[int]*model.Worker) bool {
	list := make([]model.Worker, 0, len(by))
	for _, w := range by {
		list = append(list, *w)
	}
	if l.AcceptedBefore == 0 && (len(list) == 0 || len(list) == 1 && list[0].PID == l.PID) {
		list = nil // its owner alone
	}
	slices.SortFunc(list, func(a, b model.Worker) int {
		return cmp.Or(cmp.Compare(b.Accepted, a.Accepted), cmp.Compare(a.PID, b.PID))
	})
	more := max(len(list)-model.MaxWorkers, 0)
	list = list[:len(list)-more]
	if slices.Equal(list, l.Workers) && more == l.WorkersMore && l.AcceptedBefore == l.toldBefore {
		return false
	}
	l.Workers, l.WorkersMore, l.toldBefore = list, more, l.AcceptedBefore
	return true
}
