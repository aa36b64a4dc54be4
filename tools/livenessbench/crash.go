package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Crashes is how long hosts were dead before that was known, in seconds.
type Crashes struct {
	Loss     float64   `json:"loss_percent"`
	Pressure float64   `json:"cpu_pressure_percent"`
	First    []float64 `json:"known"`         // to Cassini's manager, or to the first other node
	Half     []float64 `json:"known_to_half"` // of the other nodes of memberlist
	// Otherwise is when something else than a death was known, and no death later.
	Otherwise []float64 `json:"known_otherwise"`
	As        []string  `json:"known_as"`
	Missed    []string  `json:"missed"` // not known, or not to half, within the limit
	// Doubts count the verdicts on those that were crashed whose reporters doubted
	// themselves, and therefore waited for a window more.
	Doubts []string `json:"doubts,omitempty"`
	Deaths int      `json:"false_deaths"`   // said of hosts that nobody had crashed
	Said   []string `json:"said,omitempty"` // of those
}

// crashes crashes hosts one after the other, each on another switch and at another moment
// of the others' clocks, and starts each again once its death is known.
func crashes(ctx context.Context, cfg config, r *rig, s system) (Crashes, error) {
	began, waited := time.Now(), pressure()
	var c Crashes
	var mu sync.Mutex
	var all sync.WaitGroup
	var failed error
	victims := make(map[string]bool)
	for i := range cfg.Crashes {
		host := r.victim(i)
		victims[host] = true
		all.Go(func() {
			saw, err := crashOnce(ctx, s, host)
			mu.Lock()
			defer mu.Unlock()
			c.add(host, saw, err)
			if err := s.boot(host); err != nil {
				failed = err
			}
		})
		sleep(ctx, cfg.Stagger/2+rand.N(cfg.Stagger))
	}
	all.Wait()
	if failed != nil || ctx.Err() != nil {
		return c, fmt.Errorf("crash hosts: %w", failed)
	}
	c.Pressure = pressured(waited, began)
	said, err := s.sayings(began)
	c.Doubts = doubting(said)
	said = slices.DeleteFunc(said, func(one saying) bool { return victims[one.Of] })
	c.Deaths, c.Said = countDeaths(said, nil), summarize(said)
	return c, err
}

func crashOnce(ctx context.Context, s system, host string) (sighting, error) {
	from := time.Now()
	if err := s.crash(host); err != nil {
		return sighting{}, err
	}
	saw, err := s.await(ctx, host, from)
	sleep(ctx, time.Second)
	return saw, err
}

func (c *Crashes) add(host string, saw sighting, err error) {
	switch {
	case saw.First > 0:
		c.First = append(c.First, saw.First.Seconds())
	case err == nil:
		c.Otherwise = append(c.Otherwise, saw.Otherwise.Seconds())
	}
	if err != nil {
		c.Missed = append(c.Missed, fmt.Sprintf("%s: %v", host, err))
		return
	}
	c.As = append(c.As, saw.What)
	if saw.Half > 0 {
		c.Half = append(c.Half, saw.Half.Seconds())
	}
}

// doubting counts sayings by what their reporters doubted of themselves.
func doubting(said []saying) []string {
	var with []saying
	for _, one := range said {
		if one.Doubts != "" {
			with = append(with, saying{Kind: one.Doubts})
		}
	}
	return summarize(with)
}
