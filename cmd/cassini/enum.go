package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// anyValue is the default of an enum that need not be given.
const anyValue = ""

// enum is a flag with a few allowed values; the first is the default.
type enum struct {
	value   string
	allowed []string
}

func (e *enum) String() string { return e.value }
func (e *enum) Type() string   { return strings.Join(e.given(), "|") }

// given are the values that can be given.
func (e *enum) given() []string {
	if e.allowed[0] == anyValue {
		return e.allowed[1:]
	}
	return e.allowed
}

func (e *enum) Set(s string) error {
	if !slices.Contains(e.given(), s) {
		return fmt.Errorf("want one of %s", strings.Join(e.given(), ", "))
	}
	e.value = s
	return nil
}

// addEnum adds such a flag with its completion.
func addEnum(cmd *cobra.Command, name, short, usage string, allowed ...string) *enum {
	e := &enum{value: allowed[0], allowed: allowed}
	cmd.Flags().VarP(e, name, short, usage)
	complete := cobra.FixedCompletions(e.given(), cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
		panic(err) // the same flag twice: a mistake in the source
	}
	return e
}
