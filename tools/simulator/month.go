package simulator

import (
	"fmt"
	"runtime"
	"time"

	"cassini/model"
)

// Week is the memory of all state machines at the end of a week, in bytes.
type Week struct {
	Heap     uint64 // of the Go heap, after a collection
	Members  uint64 // the same without the manager; known of the last week alone
	Incident int    // crashes and restarts so far
}

// RunMonth lets hosts come and go for weeks, one change in ten minutes, and measures what
// their members and the manager keep. The manager's verdicts, which go to its log on
// disk, are thrown away.
func RunMonth(seed uint64, hosts, weeks int) []Week {
	s := New(seed, model.StandardProfile())
	s.Lazy = true
	s.Build(1, hosts)
	s.Run(time.Minute)
	var list []Week
	changes := 0
	for range weeks {
		for end := s.now.Add(7 * 24 * time.Hour); s.now.Before(end); {
			s.change()
			changes++
			s.Run(10 * time.Minute)
			s.Manager.Verdicts, s.Manager.known = nil, make(map[model.ReportID]bool)
		}
		list = append(list, Week{Heap: heapBytes(), Incident: changes})
	}
	s.Manager = nil
	list[len(list)-1].Members = heapBytes()
	runtime.KeepAlive(s)
	return list
}

// change crashes a host, or starts one again. The first host lives on.
func (s *Sim) change() {
	n := s.Nodes[fmt.Sprintf("z1-h%d", 2+s.Rand.IntN(len(s.Nodes)-1))]
	if n.State == Dead {
		n.Start()
		return
	}
	s.Fail(n, func() { n.State = Dead })
}

func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
