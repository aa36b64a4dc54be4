package graph

import (
	"cmp"
	"slices"

	"cassini/model"
)

// charged is model.Accepts.AcceptsChargedTo.
type charged uint8

const (
	chargedUnknown charged = iota
	chargedToListener
	chargedToProcess
)

func chargedOf(s string) charged {
	switch s {
	case model.AcceptsToListener:
		return chargedToListener
	case model.AcceptsToProcess:
		return chargedToProcess
	}
	return chargedUnknown
}

func (c charged) String() string {
	switch c {
	case chargedToListener:
		return model.AcceptsToListener
	case chargedToProcess:
		return model.AcceptsToProcess
	}
	return ""
}

// acceptedBy sums up who accepted connections on the addresses of a service.
func acceptedBy(owner *listening, live []*listening) (sum model.Accepts) {
	sum.AcceptsChargedTo = owner.charged.String()
	for _, l := range live {
		if l.more == nil {
			continue
		}
		sum.WorkersMore += l.more.accepts.WorkersMore
		sum.AcceptedBefore += l.more.accepts.AcceptedBefore
		for _, w := range l.more.accepts.Workers {
			if i := slices.IndexFunc(sum.Workers, func(known model.Worker) bool { return known.PID == w.PID }); i >= 0 {
				sum.Workers[i].Accepted += w.Accepted
			} else {
				sum.Workers = append(sum.Workers, w)
			}
		}
	}
	slices.SortFunc(sum.Workers, func(a, b model.Worker) int {
		return cmp.Or(cmp.Compare(b.Accepted, a.Accepted), cmp.Compare(a.PID, b.PID))
	})
	if over := len(sum.Workers) - model.MaxWorkers; over > 0 {
		sum.Workers, sum.WorkersMore = sum.Workers[:model.MaxWorkers], sum.WorkersMore+over
	}
	return sum
}

func acceptAttrs(a model.Attrs, s model.Accepts) {
	set(a, "accepts_charged_to", s.AcceptsChargedTo)
	if len(s.Workers) > 0 {
		pids := make([]int, len(s.Workers))
		for i, w := range s.Workers {
			pids[i] = w.PID
		}
		a["worker_pids"], a["workers"] = pids, len(pids)+s.WorkersMore
	}
}
