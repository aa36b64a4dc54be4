package main

import "github.com/spf13/cobra"

func newManager(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "manager",
		Short: "Run a manager alone; agents bring it their documents",
	}
	newServer(cmd, sys, defaultListen)
	return cmd
}
