package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/config"
)

// execute runs one command line and returns the exit code.
func execute(ctx context.Context, args []string, sys *system) int {
	sys.args = args
	root := newRoot(sys)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	return report(sys.stderr, cmd, err)
}

// newRoot assembles the commands.
func newRoot(sys *system) *cobra.Command {
	root, _ := newTree(sys)
	return root
}

// newTree assembles the commands, and hands out those that serve, by name.
func newTree(sys *system) (*cobra.Command, map[string]*server) {
	servers := map[string]*server{"run": newRun(sys), "agent": newAgent(sys), "manager": newManager(sys)}
	root := &cobra.Command{
		Use:   "cassini",
		Short: "Cassini hears from the kernel which services run and who depends on them",
		Long: "Cassini hears from the kernel which services run and who depends on them.\n\n" +
			"Start it with 'cassini run', then ask it with 'cassini services' and 'cassini deps'.",
		Args:              func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(sys.stderr)
			return errors.Join(cmd.Help(), usagef("no command given"))
		},
	}
	root.SetOut(sys.stdout)
	root.SetErr(sys.stderr)
	root.PersistentFlags().String("config", config.DefaultPath, "configuration `file`; need not exist unless named")
	config.Mark(root.PersistentFlags(), "config")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddGroup(&cobra.Group{ID: groupServe, Title: "Run Cassini:"}, &cobra.Group{ID: groupAsk, Title: "Ask Cassini:"})
	root.AddCommand(servers["run"].cmd, servers["agent"].cmd, servers["manager"].cmd, newDemo(sys))
	root.AddCommand(newServices(sys), newDeps(sys), newSwitches(sys), newPorts(sys), newNeighbors(sys), newInterfaces(sys), newRoutes(sys), newStrangers(sys), newUplinks(sys), newShared(sys), newFind(sys), newOverview(sys), newGroups(sys), newHosts(sys), newIdentity(sys), newRings(sys), newIncidents(sys), newSilence(sys), newReceivers(sys), newCause(sys), newCycles(sys), newUnmonitored(sys), newUnknown(sys), newHost(sys), newService(sys), newPrograms(sys), newCards(sys), newWhoTalksTo(sys), newVersions(sys), newAddresses(sys), newImpact(sys), newSPOF(sys), newPath(sys), newDiff(sys), newUnused(sys), newExposed(sys), newGraph(sys), newQuery(sys), newShell(sys), newWatch(sys), newEvents(sys), newHistory(sys), newStatus(sys), newDoctor(sys), newDecode(sys))
	root.AddCommand(newLog(sys), newWiring(sys), newNetBox(sys))
	root.AddCommand(newJoin(sys), newToken(sys), newAgents(sys), newAuthority(sys), newAudit(sys), newConfig(sys), newBackup(sys), newRestore(sys), newStore(sys), newVersion(sys), newCompletion(sys))
	root.SetHelpCommand(newHelp())
	return root, servers
}

// Groups of commands in the help.
const (
	groupServe = "serve"
	groupAsk   = "ask"
)

// unknownCommand refuses what is no command, and suggests those that are near.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	root.SuggestionsMinimumDistance = 2
	text := fmt.Sprintf("unknown command %q", args[0])
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usageError{errors.New(text)}
}

// noArgs and oneArg count arguments; cobra's own words are about commands.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unexpected argument %q", args[0])
	}
	return nil
}

func oneArg(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usagef("unexpected argument %q after %q", args[1], args[0])
	}
	if len(args) == 1 && strings.TrimSpace(args[0]) == "" {
		return usagef("the argument is empty")
	}
	return nil
}

// wantArgs wants as many arguments as there are names, which say what they are.
func wantArgs(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > len(names) {
			return usagef("unexpected argument %q after %q", args[len(names)], args[len(names)-1])
		}
		empty := func(arg string) bool { return strings.TrimSpace(arg) == "" }
		if len(args) < len(names) || slices.ContainsFunc(args, empty) {
			return usagef("want %s", strings.Join(names, " and "))
		}
		return nil
	}
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Explain a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil {
				return usageError{err}
			}
			if len(rest) > 0 {
				return unknownCommand(about, rest)
			}
			return about.Help()
		},
	}
}
