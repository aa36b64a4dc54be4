package graph

import (
	"net/netip"
	"slices"
	"testing"

	"cassini/model"
)

// The workers of a service are summed up over its addresses.
func TestWorkers(t *testing.T) {
	w := newWorld(t)
	listen := func(addr string, a model.Accepts) []model.Event {
		a.AcceptsChargedTo = model.AcceptsToProcess
		l := model.Listener{Proto: "tcp", Addr: netip.MustParseAddr(addr), Port: 443, Process: proc("/nginx", 77), State: model.StateListening, Since: w.now, Sockets: 1, Accepts: a}
		return w.put(model.Name{Host: "web", Package: model.PackageListeners, Key: l.Key()}, l)
	}
	listen("0.0.0.0", model.Accepts{Workers: []model.Worker{{PID: 8, Comm: "nginx", Accepted: 5}, {PID: 9, Comm: "nginx", Accepted: 4}}})
	listen("::", model.Accepts{Workers: []model.Worker{{PID: 9, Comm: "nginx", Accepted: 3}}, WorkersMore: 1, AcceptedBefore: 2})
	s := w.Services(ServiceFilter{})[0]
	if want := []model.Worker{{PID: 9, Comm: "nginx", Accepted: 7}, {PID: 8, Comm: "nginx", Accepted: 5}}; !slices.Equal(s.Workers, want) ||
		s.AcceptsChargedTo != model.AcceptsToProcess || s.WorkersMore != 1 || s.AcceptedBefore != 2 {
		t.Errorf("%+v", s.Accepts)
	}
	for _, n := range w.Nodes(NodeFilter{}) {
		if n.Kind == model.KindService {
			if pids, _ := n.Attrs["worker_pids"].([]int); !slices.Equal(pids, []int{9, 8}) || n.Attrs["workers"] != 3 {
				t.Errorf("%+v", n.Attrs)
			}
		}
	}
	if events := listen("::", model.Accepts{}); len(events) != 0 {
		t.Errorf("events %v", summaries(events))
	}
}
