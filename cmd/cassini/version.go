package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/buildinfo"
	"cassini/cmd/cassini/internal/output"
)

func newVersion(sys *system) *cobra.Command {
	cmd := &cobra.Command{Use: "version", Short: "Show which Cassini this is", Args: noArgs}
	format := addEnum(cmd, "output", "o", "how to show it", formatTable, formatJSON)
	cmd.RunE = func(*cobra.Command, []string) error {
		info := buildinfo.Read()
		if format.value == formatJSON {
			return output.JSON(sys.stdout, info)
		}
		_, err := fmt.Fprintf(sys.stdout, "cassini %s (revision %s, %s, %s)\n", info.Version, info.Revision, info.Go, info.Platform)
		return err
	}
	return cmd
}
