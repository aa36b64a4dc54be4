package main

import (
	"cassini/cmd/cassini/internal/config"
	"cassini/manager"
)

// addRetention adds the settings of how long the manager remembers.
func (s *server) addRetention() {
	s.retention = manager.DefaultRetention()
	flags := s.cmd.Flags()
	flags.DurationVar(&s.retention.MaxAge, "retention-age", s.retention.MaxAge, "how long the past is kept: 720h is 30 days")
	flags.Var((*size)(&s.retention.MaxSize), "retention-size", "`size` that the document log should not outgrow; the oldest past goes first")
	flags.DurationVar(&s.forgetAfter, "forget-hosts-after", manager.DefaultForgetAfter, "how long a host is remembered of which nothing is heard, that nobody sees alive; 0 is until 'cassini hosts forget'")
	config.Mark(flags, "retention-age", "retention-size", "forget-hosts-after")
}
