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

// Further annotations: where the value of a setting is from, and that nobody is shown it.
const (
	annotationSource = "cassini_source"
	annotationSecret = "cassini_secret"
)

// Mark makes settings of the named flags. The flags must exist.
func Mark(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := flags.SetAnnotation(name, annotation, []string{name}); err != nil {
			panic(err) // a typo in the source
		}
	}
}

// Secret keeps the values of the named settings from being shown. The flags must exist.
func Secret(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := flags.SetAnnotation(name, annotationSecret, []string{name}); err != nil {
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
		setting, source, place := find(f.Name, getenv, file)
		if place == "" {
			return
		}
		if err := set(flags, f, setting); err != nil {
			first = fmt.Errorf("%s: %w", place, reason(err))
			return
		}
		f.Annotations[annotationSource] = []string{source}
	})
	return first
}

// set gives a flag its value.
func set(flags *pflag.FlagSet, f *pflag.Flag, s Setting) error {
	if s.List == nil {
		return flags.Set(f.Name, s.Value)
	}
	list, ok := f.Value.(pflag.SliceValue)
	if !ok {
		return errors.New("wants one value, not a list")
	}
	f.Changed = true
	return list.Replace(s.List)
}

// find looks a setting up; place is "" when it is nowhere. The source is the place for
// tables, the place that of errors.
func find(name string, getenv func(string) string, file File) (s Setting, source, place string) {
	if v := getenv(Variable(name)); v != "" {
		return Setting{Value: v}, Variable(name), Variable(name)
	}
	if s, ok := file.Settings[name]; ok {
		source = fmt.Sprintf("%s:%d", file.Path, s.Line)
		return s, source, source + ": " + name
	}
	return s, "", ""
}

// reason takes pflag's words about a command line, which this was not, off an error.
func reason(err error) error {
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return fmt.Errorf("invalid value %q: %w", invalid.GetValue(), invalid.Unwrap())
	}
	return err
}
