package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// system is what tells who is alive, on all hosts of a rig.
type system interface {
	start(ctx context.Context) error
	whole() error // nil when everybody is known to be alive
	pid(host string) (int, error)
	manager() int // the process that stands for none of the hosts, or 0
	crash(host string) error
	boot(host string) error
	signal(host string, s unix.Signal) error
	// await waits until a host that crashed is known to be dead.
	await(ctx context.Context, host string, from time.Time) (sighting, error)
	// sayings are what was said of hosts since a time.
	sayings(since time.Time) ([]saying, error)
	close()
}

// sighting is when a crash was known: to Cassini's manager; to the first other node, and
// to half of them.
type sighting struct {
	First time.Duration
	Half  time.Duration // 0 for Cassini
	// Otherwise is when it was known as something else than a death, if that was all.
	Otherwise time.Duration
	What      string // as what
}

// saying is one report that a host died, or other than that ails. Corrections are none.
type saying struct {
	By     string
	Of     string
	Kind   string
	Death  bool
	Doubts string // of who says it, about itself
	At     time.Time
}

// Names of systems.
const (
	cassiniStandard = "cassini"
	cassiniFast     = "cassini-fast"
	memberlistLAN   = "memberlist-lan"
	memberlistTuned = "memberlist-5s"
)

func systemNames() []string {
	return []string{cassiniStandard, cassiniFast, memberlistLAN, memberlistTuned}
}

func newSystem(name string, cfg config, r *rig) (system, error) {
	dir, err := r.logDir(name)
	if err != nil {
		return nil, err
	}
	switch name {
	case cassiniStandard:
		return newCassini(cfg, r, dir, "standard"), nil
	case cassiniFast:
		return newCassini(cfg, r, dir, "fast"), nil
	case memberlistLAN, memberlistTuned:
		return newGossip(r, dir, name), nil
	}
	return nil, fmt.Errorf("system %q: want some of %v", name, systemNames())
}

var errTimeout = errors.New("not in time")

// until asks until there is no error.
func until(ctx context.Context, limit, every time.Duration, ask func() error) error {
	end := time.Now().Add(limit)
	for {
		err := ask()
		if err == nil || ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		if time.Now().After(end) {
			return fmt.Errorf("%w: %v: %w", errTimeout, limit, err)
		}
		sleep(ctx, every)
	}
}

// sleep returns early when the context ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
