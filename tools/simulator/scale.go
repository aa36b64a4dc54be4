package simulator

import (
	"fmt"
	"math"
	"slices"
	"time"

	"cassini/model"
)

// Scale is what an estate of a size costs.
type Scale struct {
	Hosts, Rings    int
	Boot            time.Duration // until every host knows its place
	PacketsPerHost  float64       // datagrams a second, in a healthy minute
	Inside          float64       // share of heartbeats that stay within a zone
	Repairs         int           // crashes
	ManagerPerCrash float64       // datagrams of the manager for each
	Detection       []time.Duration
	Lost            int // deaths that the manager does not know
	Refused         int // instructions of an epoch that had passed
}

// RunScale boots an estate of zones of hosts at a rate of joins, lets it be for a while,
// lets some hosts crash, one a second, and counts.
func RunScale(seed uint64, hosts, perZone, crashes int, joinRate float64) (Scale, error) {
	s := New(seed, model.StandardProfile())
	s.Lazy, s.JoinRate = true, joinRate
	begin := s.now
	for i := range hosts {
		s.Add(fmt.Sprintf("h%d", i), fmt.Sprintf("switch:%d", i/perZone))
	}
	result := Scale{Hosts: hosts, Repairs: crashes}
	for !s.booted() {
		if s.Run(time.Second); s.now.Sub(begin) > time.Hour {
			return result, fmt.Errorf("%d places are not known after an hour", s.Manager.Rings.Pending())
		}
	}
	result.Boot, result.Rings = s.now.Sub(begin), len(s.Manager.disk.rings)
	sent := s.Sent()
	s.Inside, s.Across = 0, 0
	s.Run(healthy)
	result.PacketsPerHost = float64(s.Sent()-sent) / healthy.Seconds() / float64(hosts)
	result.Inside = float64(s.Inside) / float64(s.Inside+s.Across)
	s.crashes(&result)
	for _, n := range s.Nodes {
		result.Refused += int(n.Member.Stats().Stale)
	}
	slices.Sort(result.Detection)
	return result, nil
}

// healthy is how long nothing happens.
const healthy = 20 * time.Second

func (s *Sim) booted() bool {
	if s.nextJoin.After(s.now) || s.Manager.Rings.Pending() > 0 {
		return false
	}
	return len(s.Manager.disk.hosts) == len(s.Nodes)
}

func (s *Sim) crashes(result *Scale) {
	sent, at := s.Manager.Sent, make(map[string]time.Time)
	for len(at) < result.Repairs {
		n := s.Nodes[fmt.Sprintf("h%d", s.Rand.IntN(len(s.Nodes)))]
		if n.State == Dead {
			continue
		}
		at[n.Name] = s.now
		s.Fail(n, func() { n.State = Dead })
		s.Run(time.Second)
	}
	s.Run(10 * time.Second)
	for host, died := range at {
		i := slices.IndexFunc(s.Manager.Verdicts, func(k Kept) bool { return k.Subject.Host == host && k.Kind == model.VerdictCrashed })
		if i < 0 {
			result.Lost++
			continue
		}
		result.Detection = append(result.Detection, s.Manager.Verdicts[i].At.Sub(died))
	}
	result.ManagerPerCrash = float64(s.Manager.Sent-sent) / math.Max(1, float64(result.Repairs))
}
