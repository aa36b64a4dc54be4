package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Frozen is what was said when the programs of four hosts were stopped for a while. All
// hosts live: each death is a false one.
type Frozen struct {
	Seconds  float64  `json:"seconds"`
	OfOthers int      `json:"deaths_of_hosts_not_frozen"`
	OfFrozen int      `json:"deaths_of_frozen_hosts"`
	Hosts    []string `json:"hosts_said_to_be_dead"`
	// ByLiving counts those of both that were said by hosts that were not frozen.
	ByLiving int      `json:"said_by_hosts_not_frozen"`
	Said     []string `json:"said,omitempty"`
}

// freeze stops four hosts' programs.
func freeze(ctx context.Context, cfg config, r *rig, s system) (Frozen, error) {
	f := Frozen{Seconds: cfg.Frozen.Seconds()}
	began := time.Now()
	hosts := r.frozen()
	for _, h := range hosts {
		if err := s.signal(h, unix.SIGSTOP); err != nil {
			return f, fmt.Errorf("freeze %s: %w", h, err)
		}
	}
	sleep(ctx, cfg.Frozen)
	var errs []error
	for _, h := range hosts {
		errs = append(errs, s.signal(h, unix.SIGCONT))
	}
	sleep(ctx, cfg.Settling)
	said, err := s.sayings(began)
	if err := errors.Join(append(errs, err, ctx.Err())...); err != nil {
		return f, fmt.Errorf("thaw: %w", err)
	}
	dead := make(map[string]bool)
	for _, one := range said {
		if !one.Death {
			continue
		}
		dead[one.Of] = true
		if slices.Contains(hosts, one.Of) {
			f.OfFrozen++
		} else {
			f.OfOthers++
		}
		if !slices.Contains(hosts, one.By) {
			f.ByLiving++
		}
	}
	f.Hosts, f.Said = slices.Sorted(maps.Keys(dead)), summarize(said)
	return f, nil
}

// countDeaths counts the deaths that were said, of all but some.
func countDeaths(said []saying, but []string) (n int) {
	for _, one := range said {
		if one.Death && !slices.Contains(but, one.Of) {
			n++
		}
	}
	return n
}

// summarize counts what was said by kind.
func summarize(said []saying) (list []string) {
	counts := make(map[string]int)
	for _, one := range said {
		counts[one.Kind]++
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, fmt.Sprintf("%s %d", kind, counts[kind]))
	}
	return list
}
