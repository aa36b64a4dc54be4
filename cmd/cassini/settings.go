package main

import (
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/config"
)

// settle gives every setting of the command its value: the flag, else the
// environment, else the configuration file, else the default. A file that
// belongs to the servers and that this user may not read does not stop a client.
func settle(cmd *cobra.Command, sys *system) error {
	flags := cmd.Flags()
	if err := config.Apply(flags, sys.getenv, config.File{}); err != nil {
		return usageError{err}
	}
	path, err := flags.GetString("config")
	if err != nil {
		return err
	}
	named := flags.Changed("config")
	file, err := config.ReadFile(path, !named, fileKeys(cmd))
	if errors.Is(err, fs.ErrPermission) && !named && cmd.GroupID == groupAsk {
		return nil
	}
	if err != nil {
		return usageError{err}
	}
	if err := config.Apply(flags, sys.getenv, file); err != nil {
		return usageError{err}
	}
	return nil
}

// settled makes what a command line, the environment and the file as they are now make of
// a server, without starting it.
func settled(sys *system, args []string) (*server, error) {
	root, servers := newTree(sys)
	cmd, rest, err := root.Find(args)
	if err != nil {
		return nil, usageError{err}
	}
	s := servers[cmd.Name()]
	if s == nil {
		return nil, usagef("%q is none of the commands that serve: want run, agent or manager", cmd.Name())
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return nil, usageError{err}
	}
	if err := settle(cmd, sys); err != nil {
		return nil, err
	}
	return s, s.check()
}

// fileKeys are the settings of all commands, so that one file serves them all,
// but for the name of the file itself.
func fileKeys(cmd *cobra.Command) []string {
	var keys []string
	for _, key := range config.Keys(cmd.Root()) {
		if key != "config" {
			keys = append(keys, key)
		}
	}
	return keys
}
