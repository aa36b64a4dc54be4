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
