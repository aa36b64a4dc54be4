package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/config"
	"cassini/cmd/cassini/internal/output"
)

// newConfig groups what is done with the configuration.
func newConfig(sys *system) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check the configuration, and show what each setting is and why"}
	cmd.AddCommand(newConfigCheck(sys), newConfigShow(sys))
	grouped(cmd)
	cmd.GroupID = groupServe
	return cmd
}

func newConfigCheck(sys *system) *cobra.Command {
	return &cobra.Command{
		Use:   "check [run|agent|manager]",
		Short: "Check the configuration as a server would read it, and start nothing",
		Long: "Check the configuration file and CASSINI_* of the environment as a server would read\n" +
			"them, and start nothing. Without the name of one it fails if no server would start.",
		Example:   "  cassini config check\n  cassini config check manager --config new.yaml",
		GroupID:   groupAsk,
		Args:      oneArg,
		ValidArgs: serverNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			names := serverNames()
			if len(args) == 1 {
				if names = args; !slices.Contains(serverNames(), args[0]) {
					return usagef("%q: want run, agent or manager", args[0])
				}
			}
			return checkConfig(sys, cmd, names)
		},
	}
}

// serverNames are the commands that serve.
func serverNames() []string { return []string{"run", "agent", "manager"} }

// withFile is a command line that reads the same configuration file as another command.
func withFile(cmd *cobra.Command, name string) []string {
	if f := cmd.Flags().Lookup("config"); f.Changed {
		return []string{name, "--config", f.Value.String()}
	}
	return []string{name}
}

func checkConfig(sys *system, cmd *cobra.Command, names []string) error {
	var failed []error
	for _, name := range names {
		s, err := settled(sys, withFile(cmd, name))
		if err == nil {
			err = s.tls.Files.Check()
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		fmt.Fprintf(sys.stdout, "%s: good\n", name)
	}
	switch {
	case len(failed) == len(names) && !differ(failed):
		return failed[0] // most often in the file, the same for all
	case len(failed) == len(names):
		return errors.Join(failed...)
	}
	for _, err := range failed {
		fmt.Fprintf(sys.stderr, "others would not start: %s\n", output.Clean(err.Error()))
	}
	return nil
}

func differ(errs []error) bool {
	return slices.ContainsFunc(errs, func(err error) bool { return err.Error() != errs[0].Error() })
}

func newConfigShow(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show [COMMAND]",
		Short: "Show the settings of a command, and where each is from; secrets are hidden",
		Long: "Show what the settings of a command are ('run' without a name) and where each is from:\n" +
			"CASSINI_* of the environment, a line of the configuration file, or the default.",
		Example: "  cassini config show manager\n  cassini config show services",
		GroupID: groupAsk,
		Args:    oneArg,
	}
	format := addEnum(cmd, "output", "o", "how to show the answer", formatTable, formatJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			args = []string{"run"}
		}
		root, _ := newTree(sys)
		about, rest, err := root.Find(args)
		if err != nil || len(rest) > 0 || about == root {
			return usagef("%q is no command; 'cassini --help' lists them", args[0])
		}
		if err := about.ParseFlags(withFile(cmd, about.Name())[1:]); err != nil {
			return usageError{err}
		}
		if err := settle(about, sys); err != nil {
			return err
		}
		return showConfig(sys, format.value, config.Effective(about.Flags()))
	}
	return cmd
}

func showConfig(sys *system, format string, list []config.Value) error {
	if format == formatJSON {
		return output.JSONArray(sys.stdout, list)
	}
	t := output.Columns("SETTING", "VALUE", "FROM")
	for _, v := range list {
		t.Add(output.Plain, output.Text(v.Key, dash(v.Value), v.Source)...)
	}
	return t.Write(sys.stdout, sys.terminal())
}
