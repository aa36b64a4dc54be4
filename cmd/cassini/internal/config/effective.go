package config

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Value is what a setting is, and why.
type Value struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"` // "flag", CASSINI_KEY, FILE:LINE or "default"
	Secret bool   `json:"secret,omitempty"`
}

// hidden stands for a secret that is there.
const hidden = "(hidden)"

// Effective lists the settings among flags after Apply, by key. Values of secrets are
// hidden.
func Effective(flags *pflag.FlagSet) []Value {
	list := []Value{}
	flags.VisitAll(func(f *pflag.Flag) {
		if !isSetting(f) {
			return
		}
		v := Value{Key: f.Name, Value: Text(f), Source: source(f), Secret: f.Annotations[annotationSecret] != nil}
		if v.Secret && v.Value != "" {
			v.Value = hidden
		}
		list = append(list, v)
	})
	slices.SortFunc(list, func(a, b Value) int { return strings.Compare(a.Key, b.Key) })
	return list
}

// Text is the value of a flag as one could give it.
func Text(f *pflag.Flag) string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return strings.Join(list.GetSlice(), ",")
	}
	return f.Value.String()
}

func source(f *pflag.Flag) string {
	switch from := f.Annotations[annotationSource]; {
	case from != nil:
		return from[0]
	case f.Changed:
		return "flag"
	}
	return "default"
}

// Changed lists the settings whose values differ between two sets of the same flags.
func Changed(before, after *pflag.FlagSet) (keys []string) {
	before.VisitAll(func(f *pflag.Flag) {
		if now := after.Lookup(f.Name); isSetting(f) && now != nil && Text(f) != Text(now) {
			keys = append(keys, f.Name)
		}
	})
	slices.Sort(keys)
	return keys
}
