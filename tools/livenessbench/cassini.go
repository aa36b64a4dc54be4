package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"cassini/model"
	"cassini/tools/estate/fleet"

	"golang.org/x/sys/unix"
)

// cassini is a manager, and an agent on each host.
type cassini struct {
	*fleet.Fleet
	rig   *rig
	watch string // who waits for heartbeats on all hosts
	poll  time.Duration
}

func newCassini(cfg config, r *rig, dir, profile string) *cassini {
	c := &cassini{rig: r, watch: "kernel", poll: 20 * time.Millisecond}
	c.Fleet = fleet.New(fleet.Config{Estate: r.Estate, Binary: cfg.Binary, Dir: dir, Profile: profile, Watch: c.watch})
	if profile == "fast" {
		c.poll = 5 * time.Millisecond
	}
	return c
}

func (c *cassini) start(ctx context.Context) error {
	if err := c.StartManager(); err != nil {
		return err
	}
	if err := until(ctx, 20*time.Second, 50*time.Millisecond, func() error { return c.Get("rings", new([]model.RingHealth)) }); err != nil {
		return fmt.Errorf("start the manager: %w", err)
	}
	for _, h := range c.rig.hosts {
		if err := c.StartAgent(h); err != nil {
			return err
		}
	}
	return nil
}

// whole also wants all hosts to be watched from the kernel.
func (c *cassini) whole() error {
	var rings []model.RingHealth
	if err := c.Get("rings", &rings); err != nil {
		return err
	}
	members := 0
	for _, r := range rings {
		if r.State != model.RingWhole {
			return fmt.Errorf("%s is %s: unwell %v, unacknowledged %v", r.ID, r.State, r.Unwell, r.Unacknowledged)
		}
		if r.Level == 0 {
			members += len(r.Members)
		}
	}
	if members != len(c.rig.hosts) {
		return fmt.Errorf("%d members of rings", members)
	}
	var hosts []model.HostLiveness
	if err := c.Get("liveness", &hosts); err != nil {
		return err
	}
	for _, h := range hosts {
		if h.State != "up" || h.Watch != c.watch {
			return fmt.Errorf("%s is %s, watched by %s", h.Host, h.State, h.Watch)
		}
	}
	return nil
}

func (c *cassini) pid(host string) (int, error) { return c.PID(host) }

func (c *cassini) manager() int {
	pid, _ := c.PID(fleet.Manager)
	return pid
}

func (c *cassini) crash(host string) error                 { return c.Crash(host) }
func (c *cassini) boot(host string) error                  { return c.Boot(host) }
func (c *cassini) signal(host string, s unix.Signal) error { return c.Signal(host, s) }
func (c *cassini) close()                                  { c.Close() }

// await asks the manager what it knows of the one host. What it says other than that it
// is dead counts only if it stays at that.
func (c *cassini) await(ctx context.Context, host string, from time.Time) (sighting, error) {
	var s sighting
	err := until(ctx, time.Minute, c.poll, func() error {
		state, err := c.state(host)
		if err != nil {
			return err
		}
		now := time.Since(from)
		if state == "crashed" || state == "ended" {
			s = sighting{First: now, What: state}
			return nil
		}
		if state != s.What {
			s = sighting{Otherwise: now, What: state}
		}
		if state == "up" || now-s.Otherwise < stays {
			return fmt.Errorf("%s is %s", host, state)
		}
		return nil
	})
	return s, err
}

// stays is for how long something is said before it is taken for the last word.
const stays = 15 * time.Second

func (c *cassini) state(host string) (string, error) {
	var hosts []model.HostLiveness
	if err := c.Get("liveness?host="+url.QueryEscape(host), &hosts); err != nil {
		return "", err
	}
	if len(hosts) != 1 {
		return "", errors.New("the manager does not know " + host)
	}
	return hosts[0].State, nil
}

func (c *cassini) sayings(since time.Time) ([]saying, error) {
	var incidents []model.Incident
	if err := c.Get("incidents?limit=10000", &incidents); err != nil {
		return nil, err
	}
	var all []saying
	for _, i := range incidents {
		for _, v := range i.Reports {
			if v.At.After(since) && v.Kind != model.VerdictCorrected {
				all = append(all, saying{
					By: v.ID.Reporter, Of: v.Subject.Host, Kind: string(v.Kind), Death: v.Kind.Death(),
					Doubts: strings.Join(v.Evidence.Doubts, " and "), At: v.At,
				})
			}
		}
	}
	return all, nil
}
