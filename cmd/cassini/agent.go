package main

import (
	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/config"
)

func newAgent(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Run an agent alone; it brings its documents to a manager",
	}
	s := newServer(cmd, sys, defaultAgentListen)
	cmd.Flags().StringVar(&s.manager, "manager", client.DefaultURL, "`URL` of the manager")
	config.Mark(cmd.Flags(), "manager")
	return cmd
}
