package main

import (
	"context"
	"slices"
	"time"

	"cassini/tools/bench"
)

// Load is what liveness costs while nothing happens. Figures are per second and host
// unless they say otherwise.
type Load struct {
	Loss     float64 `json:"loss_percent"`
	Seconds  float64 `json:"seconds"`
	Pressure float64 `json:"cpu_pressure_percent"` // of the machine, others included
	Packets  float64 `json:"packets"`
	UDP      float64 `json:"udp_datagrams"`
	Bytes    float64 `json:"bytes"`
	CPU      float64 `json:"cpu_ms"`
	CPUMost  float64 `json:"cpu_ms_of_the_most_busy_host"`
	Switches float64 `json:"context_switches"`
	// Machine is what the machine was busier than without any agent: the least busy of
	// some windows is taken of both, since others may use it.
	Machine  float64  `json:"machine_ms"`
	Manager  float64  `json:"manager_cpu_ms"` // per second, for all hosts
	Resident float64  `json:"resident_mib"`   // of one agent, median
	Own      float64  `json:"resident_anonymous_mib"`
	Deaths   int      `json:"false_deaths"` // said while nobody died, by anybody
	Said     []string `json:"said,omitempty"`
}

// windows is in how many parts the machine's time is looked at.
const windows = 12

// busy is how many of the machine's processors are not idle, in the quietest window of a
// span.
func busy(ctx context.Context, span time.Duration) (float64, error) {
	var shares []float64
	for range windows {
		begin := time.Now()
		before, err := machineTime()
		if err != nil {
			return 0, err
		}
		sleep(ctx, span/windows)
		after, err := machineTime()
		if err != nil {
			return 0, err
		}
		shares = append(shares, (after-before).Seconds()/time.Since(begin).Seconds())
	}
	return slices.Min(shares), ctx.Err()
}

// measureLoad measures over a span in which nothing is done to anybody.
func measureLoad(ctx context.Context, s system, hosts []string, span time.Duration, without float64) (Load, error) {
	began := time.Now()
	before, managerBefore, err := readAll(s, hosts)
	if err != nil {
		return Load{}, err
	}
	start, waited := time.Now(), pressure()
	share, err := busy(ctx, span)
	if err != nil {
		return Load{}, err
	}
	after, managerAfter, err := readAll(s, hosts)
	if err != nil {
		return Load{}, err
	}
	seconds := time.Since(start).Seconds()
	l := compare(before, after, seconds)
	l.Pressure = pressured(waited, start)
	l.Machine = (share - without) * 1000 / float64(len(hosts))
	l.Manager = milliseconds(managerAfter-managerBefore) / seconds
	if l.Resident, l.Own, err = memories(s, hosts); err != nil {
		return l, err
	}
	said, err := s.sayings(began)
	l.Deaths, l.Said = countDeaths(said, nil), summarize(said)
	return l, err
}

func readAll(s system, hosts []string) (all []counters, manager time.Duration, err error) {
	if pid := s.manager(); pid != 0 {
		if manager, err = bench.CPU(pid); err != nil {
			return nil, 0, err
		}
	}
	for _, h := range hosts {
		pid, err := s.pid(h)
		if err != nil {
			return nil, 0, err
		}
		c, err := readCounters(pid)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, c)
	}
	return all, manager, nil
}

func compare(before, after []counters, seconds float64) Load {
	l := Load{Seconds: seconds}
	per := seconds * float64(len(before))
	for i, b := range before {
		a := after[i]
		l.Packets += float64(a.packets-b.packets) / per
		l.Bytes += float64(a.bytes-b.bytes) / per
		l.UDP += float64(a.udp-b.udp) / per
		l.CPU += milliseconds(a.cpu-b.cpu) / per
		l.Switches += float64(a.switches-b.switches) / per
		l.CPUMost = max(l.CPUMost, milliseconds(a.cpu-b.cpu)/seconds)
	}
	return l
}

func memories(s system, hosts []string) (resident, own float64, err error) {
	var all, owns []float64
	for _, h := range hosts {
		pid, err := s.pid(h)
		if err != nil {
			return 0, 0, err
		}
		use, err := bench.Memory(pid)
		if err != nil {
			return 0, 0, err
		}
		all, owns = append(all, float64(use.Resident)/(1<<20)), append(owns, float64(use.Own)/(1<<20))
	}
	return median(all), median(owns), nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// median of some numbers; 0 of none.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
