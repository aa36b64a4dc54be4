package main

import "github.com/spf13/cobra"

func newRun(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "run",
		Short:   "Run agent and manager of this machine in one process",
		Example: "  cassini run\n  cassini run --data-dir /tmp/cassini --listen 127.0.0.1:2000",
	}
	newServer(cmd, sys, defaultListen)
	return cmd
}
