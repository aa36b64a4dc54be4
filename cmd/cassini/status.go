package main

import (
	"context"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
)

func newStatus(sys *system) *cobra.Command {
	cmd := &cobra.Command{Use: "status", Short: "Show how Cassini itself fares", Args: noArgs}
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		status, err := c.Status(ctx)
		if err != nil {
			return err
		}
		if a.format.value == formatJSON {
			return output.JSON(a.stdout, status)
		}
		return view.Status(status, sys.now()).Write(a.stdout, a.terminal())
	})
	return cmd
}
