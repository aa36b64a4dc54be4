package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/config"
	"cassini/cmd/cassini/internal/output"
	"cassini/manager/backup"
)

func newRestore(sys *system) *cobra.Command {
	var dataDir string
	var force bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup into the data directory of a manager that does not run",
		Long: "Put a backup into the data directory of a manager that does not run; - is standard input.\n" +
			"All of it is verified before anything changes. Agents that have joined go on as they\n" +
			"are, also those that joined or renewed after the backup was taken. What was revoked\n" +
			"after it has to be revoked again.",
		Example: "  cassini restore /srv/backup/cassini.tar.gz\n  cassini restore cassini.tar.gz --data-dir /srv/cassini --force",
		Args:    oneArg,
		GroupID: groupServe,
	}
	flags := cmd.Flags()
	flags.StringVar(&dataDir, "data-dir", defaultDataDir, "`directory` of the manager")
	flags.BoolVar(&force, "force", false, "replace what is there; it is kept in a folder beside")
	config.Mark(flags, "data-dir")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := settle(cmd, sys); err != nil {
			return err
		}
		if len(args) == 0 {
			return usagef("want the FILE with the backup, or - for standard input")
		}
		return restore(sys, args[0], dataDir, force)
	}
	return cmd
}

func restore(sys *system, file, dir string, force bool) error {
	var in io.Reader = os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return fmt.Errorf("read the backup: %w", err)
		}
		defer f.Close()
		in = f
	}
	result, err := backup.Restore(in, dir, force, sys.now())
	if err != nil {
		return err
	}
	m := result.Manifest
	fmt.Fprintf(sys.stdout, "%s of %s, as of %s, is in %s: %s documents of %s things\n", list(m.Files), output.Clean(m.Host),
		sys.moment(m.Time), dir, output.Count(result.Log.Entries), output.Count(result.Log.Names))
	if result.Aside != "" {
		fmt.Fprintf(sys.stdout, "what was there is in %s\n", result.Aside)
	}
	fmt.Fprintln(sys.stdout, "now start the manager; hosts and tokens that were revoked after that moment have to be revoked again")
	return nil
}

func list(names []string) string { return output.Clean(strings.Join(names, ", ")) }
