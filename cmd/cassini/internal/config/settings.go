package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// annotation marks the flags that are settings. Others (filters of a question,
// say) are flags only.
const annotation = "cassini_setting"

// Mark makes settings of the named flags. The flags must exist.
func Mark(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := flags.SetAnnotation(name, annotation, []string{name}); err != nil {
			panic(err) // a typo in the source
		}
	}
}

// Keys lists the settings of a command and all those below it, sorted: what a
// configuration file may hold.
func Keys(cmd *cobra.Command) []string {
	var keys []string
	add := func(f *pflag.Flag) {
		if isSetting(f) {
			keys = append(keys, f.Name)
		}
	}
	cmd.Flags().VisitAll(add)
	cmd.PersistentFlags().VisitAll(add)
	for _, sub := range cmd.Commands() {
		keys = append(keys, Keys(sub)...)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func isSetting(f *pflag.Flag) bool { return f.Annotations[annotation] != nil }

// Variable is the name of the environment variable of a setting.
func Variable(name string) string {
	return "CASSINI_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// Apply gives every setting in flags that was not on the command line its value
// from the environment or else from the file. An empty variable counts as not
// set. The error names the place of a value that does not fit.
func Apply(flags *pflag.FlagSet, getenv func(string) string, file File) error {
	var first error
	flags.VisitAll(func(f *pflag.Flag) {
		if first != nil || f.Changed || !isSetting(f) {
			return
		}
		value, place := find(f.Name, getenv, file)
		if place == "" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			first = fmt.Errorf("%s: %w", place, reason(err))
		}
	})
	return first
}

// find looks a setting up; place is "" when it is nowhere.
func find(name string, getenv func(string) string, file File) (value, place string) {
	if v := getenv(Variable(name)); v != "" {
		return v, Variable(name)
	}
	if s, ok := file.Settings[name]; ok {
		return s.Value, fmt.Sprintf("%s:%d: %s", file.Path, s.Line, name)
	}
	return "", ""
}

// reason takes pflag's words about a command line, which this was not, off an error.
func reason(err error) error {
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return fmt.Errorf("invalid value %q: %w", invalid.GetValue(), invalid.Unwrap())
	}
	return err
}
