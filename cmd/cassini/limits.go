package main

import (
	"cassini/cmd/cassini/internal/config"
	"cassini/manager"
)

// addLimits adds the settings of how large an estate may grow.
func (s *server) addLimits() {
	s.limits = manager.DefaultLimits()
	flags := s.cmd.Flags()
	flags.IntVar(&s.limits.Hosts, "max-hosts", s.limits.Hosts, "how many hosts may be on rings; who comes beyond is refused")
	flags.IntVar(&s.limits.Dependencies, "max-dependencies", s.limits.Dependencies, "how many dependencies the graph keeps, each end by itself; the longest idle are forgotten beyond it")
	config.Mark(flags, "max-hosts", "max-dependencies")
}

// checkLimits says which limit is none.
func (s *server) checkLimits() error {
	if s.cmd.Name() == "agent" {
		return nil
	}
	if s.limits.Hosts < 1 {
		return usagef("--max-hosts/CASSINI_MAX_HOSTS %d: want 1 or more", s.limits.Hosts)
	}
	if s.limits.Dependencies < 1 {
		return usagef("--max-dependencies/CASSINI_MAX_DEPENDENCIES %d: want 1 or more", s.limits.Dependencies)
	}
	return nil
}
